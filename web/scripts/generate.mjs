/**
 * From docs/asyncapi.json to src/protocol/generated.ts: a type for each frame, a check for each one that the server
 * sends, and which of them are events, replies and signals. The compiler holds the checks against the types.
 */
import { compile } from "json-schema-to-typescript";

const REF = "#/components/schemas/";
const HEAD = `// Written by \`npm run types\` from docs/asyncapi.json. Do not edit: edit layers/dayfly/dayfly/protocol, then \`make docs\`.
import * as v from "valibot";
`;

/**
 * Words that the page shows each in its own way: what has another one is not understood. Every other list of words that
 * the server sends from may grow in a later version.
 */
const CLOSED = new Set(["ToolCompleted.status", "HistoryMessage.role"]);

/** @typedef {{ [key: string]: any }} Schema */

/**
 * The text of the module. Throws where a schema says what this does not understand.
 * @param {Schema} document The AsyncAPI document.
 * @returns {Promise<string>}
 */
export async function generate(document) {
  const { messages, schemas } = document.components;
  /** @param {Schema} operation @returns {string[]} */
  const namesOf = (operation) => operation.messages.map((/** @type {Schema} */ message) => lastOf(message.$ref));
  /** @param {string} message */
  const schemaOf = (message) => lastOf(messages[message].payload.$ref);
  /** @param {string} message @returns {string} */
  const typeOf = (message) => schemas[schemaOf(message)].properties.type.const;

  const { events: logged, signals: told, ...actions } = document.operations;
  const replies = Object.entries(actions).map(([action, { reply }]) => ({
    action,
    schema: schemaOf(action),
    reply: namesOf(reply).find((name) => name !== "error_reply"),
  }));
  const answered = replies.flatMap(({ action, reply }) => (reply === undefined ? [] : [{ action, reply }]));
  const events = namesOf(logged).map((name) => ({ name, schema: schemaOf(name) }));
  const payloads = events.map(({ name, schema }) => ({ name, schema: referred(schemas[schema].properties.payload) }));
  const signals = namesOf(told).map((name) => ({ name, schema: schemaOf(name) }));
  const answers = answered.map(({ reply }) => ({ name: typeOf(reply), schema: schemaOf(reply) }));
  const sent = [...payloads, ...answers, ...signals, { name: "error", schema: "Error" }].map(({ schema }) => schema);

  const checks = new Checks(schemas);
  for (const name of sent) checks.need(name);
  const envelope = { ...schemas[events[0]?.schema ?? ""] };
  envelope.properties = { ...envelope.properties, type: { type: "string", minLength: 1 }, payload: OBJECT };

  return [
    HEAD,
    await types(opened(schemas, checks.made)),
    table(
      "interface Actions",
      replies.map(({ action, schema }) => `${action}: ${schema}`),
    ),
    table(
      "interface Events",
      events.map(({ name, schema }) => `${name}: ${schema}`),
    ),
    table(
      "interface Replies",
      answers.map(({ name, schema }) => `${name}: ${schema}`),
    ),
    table(
      "interface Signals",
      signals.map(({ name, schema }) => `${name}: ${schema}`),
    ),
    "/** The type of the reply that each action gets, unless it is refused. */",
    table(
      "const REPLY_TO =",
      answered.map(({ action, reply }) => `${action}: "${typeOf(reply)}"`),
      " as const",
    ),
    checks.text(),
    `export const ENVELOPE = ${checks.object(envelope, "Event")};\n`,
    table(
      "const PAYLOADS =",
      payloads.map(({ name, schema }) => `${name}: ${schema}Check`),
    ),
    table(
      "const REPLIES =",
      answers.map(({ name, schema }) => `${name}: ${schema}Check`),
    ),
    table(
      "const SIGNALS =",
      signals.map(({ name, schema }) => `${name}: ${schema}Check`),
    ),
    "export const ERROR = ErrorCheck;\n",
  ].join("\n");
}

const OBJECT = { type: "object", additionalProperties: {} };

/** @param {string} reference */
function lastOf(reference) {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

/** @param {Schema} schema @returns {string} */
function referred(schema) {
  return (schema.$ref ?? schema.allOf[0].$ref).slice(REF.length);
}

/** @param {string} head @param {string[]} lines */
function table(head, lines, end = "") {
  const separator = head.startsWith("const") ? "," : ";";
  return `export ${head} {\n${lines.map((line) => `  ${line}${separator}\n`).join("")}}${end}${end || separator === "," ? ";" : ""}\n`;
}

/**
 * The schemas with the lists of words in `sent` as types that a word of a later version has, too.
 * @param {Schema} schemas @param {ReadonlySet<string>} sent @returns {Schema}
 */
function opened(schemas, sent) {
  const copy = structuredClone(schemas);
  /** @param {Schema} schema */
  const open = (schema) => {
    schema.tsType = `${schema.enum.map((/** @type {string} */ word) => `"${word}"`).join(" | ")} | (string & {})`;
  };
  for (const name of sent) {
    if (copy[name].enum) open(copy[name]);
    for (const [field, schema] of Object.entries(copy[name].properties ?? {})) {
      if (schema.enum && !CLOSED.has(`${name}.${field}`)) open(schema);
    }
  }
  return copy;
}

/** @param {Schema} schemas */
async function types(schemas) {
  const definitions = JSON.parse(JSON.stringify(schemas).replaceAll(REF, "#/definitions/"), described);
  const text = await compile({ title: "Protocol", type: "object", definitions }, "Protocol", {
    additionalProperties: false,
    bannerComment: "",
    style: { printWidth: 120 },
    unreachableDefinitions: true,
  });
  return (
    text
      .replace(/^( *) \*\n\1 \* This interface was referenced by [\s\S]*?\*\/$/gm, "$1 */")
      .replace(/^ *\/\*\*\n *\* This interface was referenced by [\s\S]*?\*\/\n/gm, "")
      .replace("export interface Protocol {}\n", "")
      // What may be left out may be undefined, which JSON leaves out; nobody needs null for it.
      .replace(/^( +\w+\?: .*?)(?: \| null)?;$/gm, "$1 | undefined;")
      .replace(/^( +)(\w+\?: \{\n(?:\1 .*\n)+\1\});$/gm, "$1$2 | undefined;")
  );
}

/** A reference with words of its own is else taken for another type, and its words are lost. */
function described(/** @type {string} */ _, /** @type {Schema} */ value) {
  if (!value?.$ref || !value.description) return value;
  return { allOf: [{ $ref: value.$ref }], description: value.description };
}

/** Checks in the order in which they use each other. */
class Checks {
  made = /** @type {Set<string>} */ (new Set());
  #parts = /** @type {string[]} */ ([]);

  /** @param {Schema} schemas */
  constructor(schemas) {
    this.schemas = schemas;
  }

  text() {
    return this.#parts.join("");
  }

  /** @param {string} name */
  need(name) {
    if (this.made.has(name)) return;
    this.made.add(name);
    const check = this.#check(this.schemas[name], name);
    this.#parts.push(`const ${name}Check: v.GenericSchema<unknown, ${name}> = ${check};\n`);
  }

  /** @param {Schema} schema @param {string} name */
  object(schema, name) {
    const fields = Object.entries(schema.properties).map(([field, inner]) => {
      const check = this.#check(inner, `${name}.${field}`);
      if (schema.required.includes(field) && inner.default === undefined) return `  ${field}: ${check},\n`;
      // What may be absent may as well be null; what an earlier version has not is taken to be the default.
      const value = inner.default === undefined ? "() => undefined" : JSON.stringify(inner.default);
      return `  ${field}: v.nullish(${check}, ${value}),\n`;
    });
    return `v.object({\n${fields.join("")}})`;
  }

  /** @param {Schema} schema @param {string} place @returns {string} */
  #check(schema, place) {
    if (schema.$ref || schema.allOf) {
      const name = referred(schema);
      this.need(name);
      return `${name}Check`;
    }
    if (schema.const !== undefined) return `v.literal(${JSON.stringify(schema.const)})`;
    if (schema.enum && CLOSED.has(place)) return `v.picklist(${JSON.stringify(schema.enum)})`;
    switch (schema.type) {
      case "string":
        return piped("v.string()", schema.minLength && `v.minLength(${schema.minLength})`, pattern(schema));
      case "integer":
        return piped("v.number()", "v.integer()", least(schema), most(schema));
      case "boolean":
        return "v.boolean()";
      case "array":
        return `v.array(${this.#check(schema.items, place)})`;
      case "object":
        return schema.properties ? this.object(schema, place) : "v.record(v.string(), v.unknown())";
      case undefined:
        return "v.unknown()";
    }
    throw new Error(`${place}: no check of ${JSON.stringify(schema)}`);
  }
}

/** @param {...(string | undefined)} parts */
function piped(...parts) {
  const there = parts.filter(Boolean);
  return there.length === 1 ? (there[0] ?? "") : `v.pipe(${there.join(", ")})`;
}

/** @param {Schema} schema */
const pattern = ({ pattern }) => (pattern === undefined ? undefined : `v.regex(/${pattern}/)`);
/** @param {Schema} schema */
const least = ({ minimum }) => (minimum === undefined ? undefined : `v.minValue(${minimum})`);
/** @param {Schema} schema */
const most = ({ maximum }) => (maximum === undefined ? undefined : `v.maxValue(${maximum})`);
