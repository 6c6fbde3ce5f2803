import { describe, expect, it } from "vitest";
import { type Entry, logged } from "../src/app/log";
import { parseFrame } from "../src/client";
import { accepted, event, heartbeat } from "./client/frames";

const logOf = (...frames: string[]) =>
  frames.reduce<readonly Entry[]>((log, data) => logged(log, parseFrame(data), new Date(0)), []);

describe("the event log", () => {
  it("keeps frames in the order in which they arrived", () => {
    const log = logOf(event("agent_started", 2), accepted("q1"), event("user_message", 1));
    expect(log.map(({ type, seq }) => [type, seq])).toEqual([
      ["agent_started", 2],
      ["accepted", undefined],
      ["user_message", 1],
    ]);
  });

  it("counts consecutive deltas of one run together", () => {
    const log = logOf(event("agent_delta", 1), event("agent_delta", 2), event("agent_delta", 1, {}, "r2"));
    expect(log.map(({ times, seq, runId }) => [runId, times, seq])).toEqual([
      ["r1", 2, 2],
      ["r2", 1, 1],
    ]);
  });

  it("counts pieces of reasoning together, apart from those of the answer", () => {
    const log = logOf(event("agent_reasoning", 1), event("agent_reasoning", 2), event("agent_delta", 3));
    expect(log.map(({ type, times }) => [type, times])).toEqual([
      ["agent_reasoning", 2],
      ["agent_delta", 1],
    ]);
  });

  it("shows frames that could not be read or are of another version", () => {
    expect(logOf("{", '{"type": "news"}', heartbeat(1)).map(({ type }) => type)).toEqual([
      "malformed",
      "news",
      "agent_heartbeat",
    ]);
  });

  it("leaves out what belongs to no run", () => {
    expect(logOf('{"type": "pong", "id": "p", "server_time": "x"}')).toEqual([]);
  });

  it("forgets the oldest beyond its bound", () => {
    const log = logOf(...Array.from({ length: 500 }, (_, index) => event("agent_thinking", index + 1)));
    expect(log).toHaveLength(400);
    expect(log.at(-1)?.seq).toBe(500);
  });
});
