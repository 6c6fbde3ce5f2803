import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { stateOf } from "../../src/client/run";
import { turnsBefore } from "../../src/client/select";
import type { ToolStep } from "../../src/client/step";
import { answerOf, isSpeaking, linesOf } from "../../src/client/summary";
import { reduce } from "../../src/client/view";
import { REPLIES } from "../../src/protocol/generated";
import { event, heartbeat, viewOf } from "./frames";

const BEGUN = [event("user_message", 1), event("agent_started", 2), event("agent_thinking", 3)];

const said = (seq: number, text: string) => event("agent_delta", seq, { text });
const reasoned = (seq: number, text: string) => event("agent_reasoning", seq, { text });
const retried = (seq: number, after: number, more: object = {}) =>
  event("agent_retrying", seq, { discard_after: after, ...more });

function run(...more: string[]) {
  const found = viewOf([...BEGUN, ...more]).threads.t1?.runs[0];
  if (found === undefined) throw new Error("no run");
  return found;
}

const lines = (...more: string[]) =>
  linesOf(run(...more).summary).map((line) => ("text" in line && line.kind !== "thinking" ? line.text : line.kind));

describe("reasoning", () => {
  it("is one block for each request to the model, and no part of the answer", () => {
    const events = [
      reasoned(4, "I need "),
      reasoned(5, "a product."),
      event("tool_executing", 6),
      event("tool_completed", 7),
      event("agent_thinking", 8),
      reasoned(9, "391, then."),
      said(10, "It is 391."),
    ];
    expect(lines(...events)).toEqual(["thinking", "I need a product.", "tool", "thinking", "391, then."]);
    expect(answerOf(run(...events).summary)).toBe("It is 391.");
    const ended = run(...events, event("agent_completed", 11, { result: "It is 391." }));
    expect(answerOf(ended.summary)).toBe("It is 391.");
  });

  it("is one block where the model goes on to reason behind a part of its answer", () => {
    const events = [reasoned(4, "First. "), said(5, "Well, "), reasoned(6, "Then."), said(7, "so.")];
    expect(lines(...events)).toEqual(["thinking", "First. Then."]);
    expect(answerOf(run(...events).summary)).toBe("Well, so.");
  });

  it("stands in its place beside what was said before a tool was called", () => {
    const events = [said(4, "Let me see."), reasoned(5, "Hm."), event("agent_thinking", 6)];
    expect(lines(...events)).toEqual(["thinking", "Let me see.", "Hm.", "thinking"]);
  });

  it("comes while nothing is said of the answer", () => {
    expect(isSpeaking(run(reasoned(4, "Hm.")).summary)).toBe(false);
    expect(isSpeaking(run(reasoned(4, "Hm."), said(5, "So")).summary)).toBe(true);
    expect(isSpeaking(run(said(4, "So"), reasoned(5, "Hm.")).summary)).toBe(false);
  });

  it("is shown where no request was announced", () => {
    const summary = viewOf([event("user_message", 1), reasoned(2, "Hm."), said(3, "So.")]).threads.t1?.runs[0]?.summary;
    if (summary === undefined) throw new Error("no run");
    expect(linesOf(summary)).toEqual([{ kind: "reasoning", seq: 2, text: "Hm." }]);
    expect(answerOf(summary)).toBe("So.");
  });

  it("that is blank is no block", () => {
    expect(lines(reasoned(4, "\n\n"))).toEqual(["thinking"]);
  });

  it("is dropped with the text where a fresh engine makes the request again", () => {
    const events = [reasoned(4, "void"), said(5, "void"), event("agent_resumed", 6, { discard_after: 3 })];
    expect(lines(...events, event("agent_thinking", 7), reasoned(8, "new"))).toEqual([
      "thinking",
      "resumed",
      "thinking",
      "new",
    ]);
  });
});

describe("a request that is made again", () => {
  it("loses its text and its reasoning, and those of no request before it", () => {
    const before = [
      reasoned(4, "kept"),
      said(5, "Let me see."),
      event("tool_executing", 6),
      event("tool_completed", 7),
      event("agent_thinking", 8),
    ];
    const again = [...before, reasoned(9, "void"), said(10, "void"), retried(11, 7), said(12, "391")];
    expect(lines(...again)).toEqual(["thinking", "kept", "Let me see.", "tool", "thinking", "retrying"]);
    expect(answerOf(run(...again).summary)).toBe("391");
  });

  it("says why, and for how long it waits", () => {
    const { summary } = run(retried(4, 3, { reason: "unavailable", delay_ms: 2_500 }));
    expect(summary.steps.at(-1)).toEqual({
      kind: "retrying",
      seq: 4,
      times: 1,
      reason: "unavailable",
      at: "2026-11-22T10:00:00.123Z",
      delay: 2_500,
    });
    expect(summary.state).toBe("running");
  });

  it("is one step, however often it is made again", () => {
    const events = [
      retried(4, 3),
      said(5, "void"),
      retried(6, 3, { retry: 2, reason: "cut_off" }),
      reasoned(7, "void"),
      retried(8, 3, { retry: 3, reason: "timed_out" }),
    ];
    const { steps } = run(...events).summary;
    expect(steps.slice(1)).toMatchObject([{ kind: "retrying", seq: 4, times: 3, reason: "timed_out" }]);
  });

  it("is another step in another request, or behind a response that counts", () => {
    const apart = [retried(4, 3), event("agent_thinking", 5), retried(6, 3)];
    expect(lines(...apart)).toEqual(["thinking", "retrying", "thinking", "retrying"]);
    const counted = [retried(4, 3), said(5, "counts"), retried(6, 5)];
    expect(lines(...counted)).toEqual(["thinking", "retrying", "retrying"]);
    expect(answerOf(run(...counted).summary)).toBe("counts");
  });

  it("is no step where the model only states anew what it had said", () => {
    const { summary } = run(said(4, "hm"), retried(5, 3, { reason: "restated" }), reasoned(6, "hm"), said(7, "So."));
    expect(linesOf(summary).map(({ kind }) => kind)).toEqual(["thinking", "reasoning"]);
    expect(answerOf(summary)).toBe("So.");
  });

  it("is waited for where a heartbeat says so, until something comes", () => {
    const view = viewOf([...BEGUN, heartbeat(3, "r1", "t1", "retrying")]);
    const phase = (more: string[]) => viewOf(more, view).threads.t1?.runs[0]?.phase;
    expect(phase([])).toBe("retrying");
    expect(phase([said(4, "x")])).toBeUndefined();
    expect(phase([heartbeat(3)])).toBe("model");
    // It tells of a time before what is here.
    expect(phase([said(4, "x"), heartbeat(3, "r1", "t1", "retrying")])).toBeUndefined();
  });
});

describe("a tool's progress", () => {
  const running = event("tool_executing", 4);
  const told = (seq: number, message: string, call = "c1") =>
    event("tool_progress", seq, { tool_call_id: call, message });
  const call = (...more: string[]) =>
    run(...more).summary.steps.find((step): step is ToolStep => step.kind === "tool" && step.callId === "c1");

  it("is the latest message, while the tool runs", () => {
    expect(call(running)?.progress).toBeUndefined();
    expect(call(running, told(5, "1 of 3"))?.progress).toBe("1 of 3");
    expect(call(running, told(5, "1 of 3"), told(6, "2 of 3"))?.progress).toBe("2 of 3");
  });

  it("belongs to its call alone", () => {
    const other = event("tool_executing", 5, { tool_call_id: "c2" });
    expect(call(running, other, told(6, "1 of 3", "c2"))?.progress).toBeUndefined();
  });

  it.each([
    ["completes", event("tool_completed", 6)],
    ["is begun once more", event("tool_executing", 6)],
    ["is stopped with its run", event("agent_cancelled", 6)],
  ])("is gone when the tool %s", (_, end) => {
    expect(call(running, told(5, "1 of 3"), end)?.progress).toBeUndefined();
  });

  it("of a call that does not run changes nothing", () => {
    expect(run(told(4, "1 of 3")).summary.steps).toHaveLength(1);
    expect(call(running, event("tool_completed", 5), told(6, "4 of 3"))?.progress).toBeUndefined();
  });
});

describe("a call whose arguments do not fit", () => {
  it("is a step that failed, though it was never executed", () => {
    const failed = run(event("tool_completed", 4, { status: "error", result: "not a number" }));
    expect(failed.summary.steps.slice(1)).toMatchObject([
      { kind: "tool", seq: 4, status: "error", result: "not a number", approval: undefined },
    ]);
    expect(stateOf(failed)).toBe("running");
  });
});

describe("a tool's files", () => {
  it("stand with its call, and there are none where it names none", () => {
    const files = [{ name: "plan.png", media_type: "image/png", bytes: 5, url: "https://files.example/plan.png" }];
    const calls = (more: object) =>
      run(event("tool_executing", 4), event("tool_completed", 5, more)).summary.steps.filter(
        (step): step is ToolStep => step.kind === "tool",
      );
    expect(calls({ files })).toMatchObject([{ status: "ok", files }]);
    expect(calls({})).toMatchObject([{ files: [] }]);
  });
});

describe("a structured answer", () => {
  it("is kept as what it is, beside its text", () => {
    const { summary } = run(event("agent_completed", 4, { result: '{"sum":391}', output: { sum: 391 } }));
    expect(summary.output).toEqual({ sum: 391 });
    expect(answerOf(summary)).toBe('{"sum":391}');
    expect(run(event("agent_completed", 4)).summary.output).toBeUndefined();
  });
});

describe("how an answer ended", () => {
  it.each(["length", "context_window", "filtered", "refused", "other", "of_a_later_version"])(
    "is kept: %s",
    (finish) => {
      expect(run(event("agent_completed", 4, { finish })).summary.finish).toBe(finish);
    },
  );

  it("is taken to be whole where nothing is said of it, and where the run did not complete", () => {
    expect(run(event("agent_completed", 4)).summary.finish).toBe("complete");
    expect(run(event("agent_cancelled", 4)).summary.finish).toBe("complete");
  });

  it("stands in the history, by the last piece of what a run said", () => {
    const message = (text: string, more: object) => ({ role: "assistant", text, run_id: "r0", at: "x", ...more });
    const page = v.parse(REPLIES.history, {
      type: "history",
      id: "h1",
      thread_id: "t1",
      messages: [message("Let me see. ", {}), message("Thirty-", { finish: "length" })],
    });
    const [thread] = Object.values(reduce(viewOf([]), { type: "page", page, older: false }).threads);
    if (thread === undefined) throw new Error("no thread");
    expect(turnsBefore(thread)).toMatchObject([{ text: "Let me see. Thirty-", finish: "length" }]);
  });
});
