import { describe, expect, it } from "vitest";
import { parseFrame } from "../../src/client/parse";
import { accepted, event } from "./frames";

describe("parseFrame", () => {
  it("gives a known event with its checked payload", () => {
    const frame = parseFrame(event("tool_completed", 5));
    expect(frame).toMatchObject({
      kind: "event",
      event: { type: "tool_completed", seq: 5, payload: { result: "391" } },
    });
  });

  it("keeps an event of an unknown type, with its seq", () => {
    expect(parseFrame(event("agent_sang", 4, { song: "la" }))).toMatchObject({
      kind: "event",
      event: { type: "unknown", seq: 4, payload: { type: "agent_sang", body: { song: "la" } } },
    });
  });

  it("keeps a known event with a payload it cannot read as unknown, so that no gap opens", () => {
    expect(parseFrame(event("agent_delta", 4, { text: 7 }))).toMatchObject({ event: { type: "unknown", seq: 4 } });
  });

  it("drops fields that it does not know and reads null as absent", () => {
    const data = JSON.stringify({ ...JSON.parse(accepted("q1")), position: null, colour: "red" });
    const frame = parseFrame(data);
    expect(frame).toMatchObject({ kind: "reply", reply: { type: "accepted", position: undefined } });
    expect(frame).not.toHaveProperty("reply.colour");
  });

  it.each([
    ["not JSON", "{"],
    ["a list", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["a type that is no string", '{"type": 1}'],
    ["an event without a run", '{"type": "agent_delta", "seq": 1, "payload": {}}'],
    ["a seq of 0", event("agent_delta", 0)],
    ["a fractional seq", event("agent_delta", 1.5)],
    ["a reply without an id", '{"type": "pong", "server_time": "x"}'],
    ["an error without a code", '{"type": "error", "id": "a"}'],
    ["a binary frame", new ArrayBuffer(2)],
  ])("calls %s malformed instead of throwing", (_, data) => {
    expect(parseFrame(data).kind).toBe("malformed");
  });

  it("takes a table's inherited names for unknown types", () => {
    expect(parseFrame('{"type": "toString"}')).toEqual({ kind: "ignored", type: "toString" });
    expect(parseFrame(event("constructor", 2))).toMatchObject({ event: { type: "unknown" } });
  });

  it("knows API Gateway's own error frame, which has no type", () => {
    const data = '{"message": "Internal server error", "connectionId": "c=", "requestId": "r="}';
    expect(parseFrame(data)).toMatchObject({ kind: "gateway", error: { message: "Internal server error" } });
  });
});
