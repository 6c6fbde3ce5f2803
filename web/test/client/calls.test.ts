import { describe, expect, it } from "vitest";
import { isOpen } from "../../src/client/calls";
import { stateOf } from "../../src/client/run";
import type { ToolStep } from "../../src/client/step";
import { answerOf, linesOf } from "../../src/client/summary";
import { event, viewOf } from "./frames";

const BEGUN = [event("user_message", 1), event("agent_started", 2), event("agent_thinking", 3)];

const asked = (seq: number, call = "c1") =>
  event("approval_requested", seq, { tool_call_id: call, parameters: { note: call } });
const resumed = (seq: number, reason: string) => event("agent_resumed", seq, { reason });
const executing = (seq: number, call = "c1") => event("tool_executing", seq, { tool_call_id: call });
const completed = (seq: number, status: string, call = "c1") =>
  event("tool_completed", seq, { tool_call_id: call, status });

function told(...more: string[]) {
  const run = viewOf([...BEGUN, ...more]).threads.t1?.runs[0];
  if (run === undefined) throw new Error("no run");
  const calls = run.summary.steps.filter((step): step is ToolStep => step.kind === "tool");
  return { run, calls, state: stateOf(run), approvals: calls.map(({ approval }) => approval?.state) };
}

describe("a call that needs approval", () => {
  it("makes the run wait, with its parameters and the end of its time", () => {
    const { state, calls } = told(asked(4));
    expect(state).toBe("waiting");
    expect(calls.filter(isOpen)).toMatchObject([
      { status: "waiting", parameters: { note: "c1" }, approval: { expiresAt: "2026-11-22T11:00:00.123Z" } },
    ]);
  });

  it("is answered when a fresh engine goes on, and approved when it is executed", () => {
    const answered = [asked(4), resumed(5, "answered")];
    expect(told(...answered)).toMatchObject({ state: "running", approvals: ["answered"] });
    expect(told(...answered, executing(6))).toMatchObject({
      approvals: ["approved"],
      calls: [{ status: "executing" }],
    });
    expect(told(...answered, executing(6), completed(7, "ok"))).toMatchObject({
      approvals: ["approved"],
      calls: [{ seq: 4, status: "ok", result: "391", parameters: { expression: "17 * 23" } }],
    });
  });

  it("is denied when it completes so, without having been executed", () => {
    const { approvals, calls } = told(asked(4), resumed(5, "answered"), completed(6, "denied"));
    expect([approvals, calls.map(({ status }) => status)]).toEqual([["denied"], ["denied"]]);
    expect(calls[0]?.parameters).toEqual({ note: "c1" });
  });

  it("is expired, which counts as denied, unless it had been approved before", () => {
    const { approvals } = told(
      asked(4),
      asked(5, "c2"),
      resumed(6, "expired"),
      completed(7, "denied"),
      executing(8, "c2"),
    );
    expect(approvals).toEqual(["expired", "approved"]);
  });

  it("waits beside others, each with a state of its own", () => {
    const two = [asked(4), asked(5, "c2")];
    expect(told(...two)).toMatchObject({ state: "waiting", approvals: ["open", "open"] });
    const mixed = told(...two, resumed(6, "answered"), completed(7, "denied"), executing(8, "c2"));
    expect(mixed).toMatchObject({ state: "running", approvals: ["denied", "approved"] });
  });

  it("does not make the run wait while another call is at work", () => {
    expect(told(executing(4, "c2"), asked(5)).state).toBe("running");
    expect(told(executing(4, "c2"), asked(5), completed(6, "ok", "c2")).state).toBe("waiting");
  });

  it("stays open when its engine is lost or handed over", () => {
    expect(told(asked(4), resumed(5, "engine_lost"))).toMatchObject({ state: "running", approvals: ["open"] });
  });

  it.each(["agent_cancelled", "agent_error", "agent_completed"])("is closed by %s, as is what is at work", (type) => {
    const { calls, approvals } = told(asked(4), executing(5, "c2"), event(type, 6));
    expect(calls.map(({ status }) => status)).toEqual(["stopped", "stopped"]);
    expect(approvals).toEqual(["closed", undefined]);
  });
});

describe("a call that is executed again by a fresh engine", () => {
  it("is one step, in its place", () => {
    const { run, calls } = told(executing(4), resumed(5, "engine_lost"), executing(6), completed(7, "ok"));
    expect(calls).toMatchObject([{ seq: 4, status: "ok" }]);
    expect(run.summary.steps.map(({ kind }) => kind)).toEqual(["thinking", "tool", "resumed"]);
  });

  it("is another step where the model uses the id of a call that is done", () => {
    const { calls } = told(executing(4), completed(5, "ok"), executing(6), completed(7, "error"));
    expect(calls.map(({ status }) => status)).toEqual(["ok", "error"]);
  });
});

describe("what is said before a call", () => {
  const early = [event("agent_delta", 4, { text: "Let me " }), event("agent_delta", 5, { text: "see." })];
  const later = [
    executing(6),
    completed(7, "ok"),
    event("agent_thinking", 8),
    event("agent_delta", 9, { text: "391" }),
  ];

  it("is the answer until the model is asked again, and then a line among the steps", () => {
    expect(answerOf(told(...early).run.summary)).toBe("Let me see.");
    const { summary } = told(...early, ...later).run;
    expect(answerOf(summary)).toBe("391");
    expect(linesOf(summary).map((line) => (line.kind === "said" ? line.text : line.kind))).toEqual([
      "thinking",
      "Let me see.",
      "tool",
      "thinking",
    ]);
  });

  it("is no part of an answer that was cut to size either", () => {
    const { summary } = told(...early, ...later, event("agent_completed", 10, { result: "3", truncated: true })).run;
    expect(answerOf(summary)).toBe("391");
  });

  it("disappears from among the steps when it is void", () => {
    const again = event("agent_resumed", 7, { reason: "handed_over", discard_after: 3 });
    const { summary } = told(...early, event("agent_thinking", 6), again, event("agent_thinking", 8)).run;
    expect(linesOf(summary).map(({ kind }) => kind)).toEqual(["thinking", "thinking", "resumed", "thinking"]);
  });
});
