import { describe, expect, it } from "vitest";
import document from "../../docs/asyncapi.json";
import { generate } from "../scripts/generate.mjs";
import { parseFrame } from "../src/client/parse";
import generated from "../src/protocol/generated.ts?raw";

const messages = Object.values(document.components.messages).map(({ name, examples }) => ({
  name,
  payload: examples[0]?.payload ?? {},
}));
const sent = messages.filter(({ payload }) => "type" in payload);

describe("the generated protocol", () => {
  it("is what the document says now: else run `make docs`", async () => {
    expect(await generate(document)).toBe(generated);
  });

  it("changes with the document", async () => {
    const changed = structuredClone(document);
    changed.components.schemas.Pong.properties.server_time.type = "integer";
    const text = await generate(changed);
    expect(text).not.toBe(generated);
    expect(text).toContain("server_time: v.pipe(v.number(), v.integer())");
  });

  it("refuses a schema that it has no check for", async () => {
    const changed = structuredClone(document);
    changed.components.schemas.Pong.properties.server_time.type = "number";
    await expect(generate(changed)).rejects.toThrow("Pong.server_time: no check of");
  });

  it.each(sent)("understands the document's own example of $name whole", ({ payload }) => {
    const frame = parseFrame(JSON.stringify(payload));
    const understood = [
      frame.kind === "event" && frame.event,
      frame.kind === "reply" && frame.reply,
      frame.kind === "notice" && frame.notice,
      frame.kind === "error" && frame.error,
    ];
    expect(understood).toContainEqual(payload);
  });
});
