/** Bytes from the wire → a checked `Frame`. Never throws: what is wrong comes back as `malformed`, with the reason. */
import * as v from "valibot";
import { ENVELOPE, ERROR, PAYLOADS, REPLIES, SIGNALS } from "../protocol/generated";
import { type EventType, type Frame, GatewayError, LATER_NOTICES, type ReplyType, type RunEvent } from "./protocol";

const NOTICES = { ...SIGNALS, ...LATER_NOTICES };

const has = <K extends string>(table: Readonly<Record<K, unknown>>, key: string): key is K => Object.hasOwn(table, key);

export function parseFrame(data: unknown): Frame {
  if (typeof data !== "string") return malformed("not a text frame");
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return malformed("not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return malformed("not a JSON object");
  const type = "type" in value ? value.type : undefined;
  if (type === undefined) {
    const parsed = v.safeParse(GatewayError, value);
    return parsed.success ? { kind: "gateway", error: parsed.output } : malformed("no type");
  }
  if (typeof type !== "string") return malformed("the type is not a string");
  if (has(REPLIES, type)) return parseReply(type, value);
  if (has(NOTICES, type)) return parseNotice(type, value);
  if (type === "error") {
    const parsed = v.safeParse(ERROR, value);
    return parsed.success ? { kind: "error", error: parsed.output } : malformed(reason(type, parsed.issues));
  }
  return parseEvent(type, value);
}

function parseReply(type: ReplyType, value: object): Frame {
  const parsed = v.safeParse(REPLIES[type], value);
  return parsed.success ? { kind: "reply", reply: parsed.output } : malformed(reason(type, parsed.issues));
}

function parseNotice(type: keyof typeof NOTICES, value: object): Frame {
  const parsed = v.safeParse(NOTICES[type], value);
  return parsed.success ? { kind: "notice", notice: parsed.output } : malformed(reason(type, parsed.issues));
}

function parseEvent(type: string, value: object): Frame {
  const envelope = v.safeParse(ENVELOPE, value);
  if (!envelope.success) {
    // A type from a later version that is no event of a run is none of our business; a broken known event is.
    return has(PAYLOADS, type) ? malformed(reason(type, envelope.issues)) : { kind: "ignored", type };
  }
  const { payload, ...head } = envelope.output;
  if (has(PAYLOADS, type)) {
    const checked = v.safeParse(PAYLOADS[type as EventType], payload);
    // The schema was chosen by the type, which the compiler cannot follow through the table.
    if (checked.success) return { kind: "event", event: { ...head, type, payload: checked.output } as RunEvent };
  }
  return { kind: "event", event: { ...head, type: "unknown", payload: { type, body: payload } } };
}

function malformed(reason: string): Frame {
  return { kind: "malformed", reason };
}

function reason(type: string, issues: readonly v.BaseIssue<unknown>[]): string {
  const first = issues[0];
  return first === undefined ? type : `${type}: ${v.getDotPath(first) ?? "?"}: ${first.message}`;
}
