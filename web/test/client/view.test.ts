import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { stateOf } from "../../src/client/run";
import { activeRun, cursorOf, inTurn, isQuiet, misses, positionOf, turnsBefore } from "../../src/client/select";
import { answerOf } from "../../src/client/summary";
import { reduce, type View } from "../../src/client/view";
import { REPLIES } from "../../src/protocol/generated";
import { accepted, attached, event, heartbeat, threadChanged, viewOf } from "./frames";

const RUN = [
  event("user_message", 1),
  event("agent_started", 2),
  event("agent_thinking", 3),
  event("tool_executing", 4),
  event("tool_completed", 5),
  event("agent_delta", 6, { text: "17 * 23 = " }),
  event("agent_delta", 7, { text: "391" }),
  event("agent_completed", 8, { result: "17 * 23 = 391" }),
];

const thread = (view: View, id = "t1") => {
  const found = view.threads[id];
  if (found === undefined) throw new Error(`no thread ${id}`);
  return found;
};
const run = (view: View, index = 0) => {
  const found = thread(view).runs[index];
  if (found === undefined) throw new Error(`no run ${index}`);
  return found;
};

/** A shuffle that a number decides, so that a failure can be repeated. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let i = result.length - 1; i > 0; i -= 1) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

describe("a run", () => {
  it("is shown with its message, steps, answer and end", () => {
    const { summary } = run(viewOf(RUN));
    expect(summary).toMatchObject({ text: "What is 17 * 23?", state: "completed", requestId: "q1" });
    expect(summary.steps.map((step) => step.kind)).toEqual(["thinking", "tool"]);
    expect(summary.steps[1]).toMatchObject({ name: "calculate", status: "ok", result: "391", milliseconds: 3 });
    expect(answerOf(summary)).toBe("17 * 23 = 391");
  });

  it("looks the same in whatever order and however often its events come", () => {
    const expected = run(viewOf(RUN));
    for (let seed = 0; seed < 200; seed += 1) {
      const frames = shuffled([...RUN, ...RUN, accepted("q1"), heartbeat(5)], seed);
      const seen = run(viewOf(frames));
      expect(seen.summary).toEqual(expected.summary);
      expect(seen.events).toEqual(expected.events);
      expect(seen.held).toEqual([]);
    }
  });

  it("shows nothing from behind a gap until the gap is filled", () => {
    const open = viewOf([RUN[0] as string, RUN[1] as string, RUN[5] as string]);
    expect(answerOf(run(open).summary)).toBe("");
    expect(misses(thread(open))).toBe(true);
    const closed = viewOf([RUN[2], RUN[3], RUN[4]] as string[], open);
    expect(answerOf(run(closed).summary)).toBe("17 * 23 = ");
    expect(misses(thread(closed))).toBe(false);
  });

  it("takes events before the accepted that belongs to them", () => {
    const view = viewOf([...RUN.slice(0, 3), accepted("q1", "r1", "t1", "queued")]);
    expect(thread(view).runs).toHaveLength(1);
    expect(stateOf(run(view))).toBe("running");
  });

  it("loses the deltas that a resumed attempt declares void, and no others", () => {
    const view = viewOf([
      ...RUN.slice(0, 2),
      event("agent_delta", 3, { text: "kept " }),
      event("agent_delta", 4, { text: "void" }),
      event("agent_resumed", 5, { discard_after: 3 }),
      event("agent_delta", 6, { text: "new" }),
    ]);
    expect(answerOf(run(view).summary)).toBe("kept new");
  });

  it("keeps every delta when a resumed attempt voids none", () => {
    const view = viewOf([...RUN.slice(0, 2), event("agent_delta", 3), event("agent_resumed", 4)]);
    expect(answerOf(run(view).summary)).toBe("x");
  });

  it("counts an unknown event as one of the sequence", () => {
    const view = viewOf([RUN[0] as string, event("agent_sang", 2), event("agent_started", 3)]);
    expect(misses(thread(view))).toBe(false);
    expect(run(view).events).toHaveLength(3);
  });

  it.each([
    ["agent_error", "failed"],
    ["agent_cancelled", "cancelled"],
    ["agent_completed", "completed"],
  ])("ends with %s as %s, whatever a late reply says", (type, state) => {
    const view = viewOf([...RUN.slice(0, 2), event(type, 3), accepted("q1", "r1", "t1", "running")]);
    expect(stateOf(run(view))).toBe(state);
    expect(activeRun(thread(view))).toBeUndefined();
  });

  it("prefers what was streamed to a result that was cut to size", () => {
    const view = viewOf([...RUN.slice(0, 7), event("agent_completed", 8, { result: "17", truncated: true })]);
    expect(answerOf(run(view).summary)).toBe("17 * 23 = 391");
  });
});

describe("gaps and silence", () => {
  it("sees a gap by a heartbeat's last_seq", () => {
    expect(misses(thread(viewOf([...RUN.slice(0, 4), heartbeat(4)])))).toBe(false);
    expect(misses(thread(viewOf([...RUN.slice(0, 4), heartbeat(5)])))).toBe(true);
  });

  it("calls a running run quiet after the limit, and none that is queued, waiting or over", () => {
    const quiet = (frames: string[]) => isQuiet(thread(viewOf(frames)), 15_000, 15_000);
    const approval = { tool_name: "f", tool_call_id: "c", parameters: {}, expires_at: "x" };
    expect(quiet(RUN.slice(0, 4))).toBe(true);
    expect(quiet([accepted("q1")])).toBe(true);
    expect(quiet([accepted("q1", "r1", "t1", "queued")])).toBe(false);
    expect(quiet([...RUN.slice(0, 2), event("approval_requested", 3, approval)])).toBe(false);
    expect(quiet(RUN)).toBe(false);
  });

  it("counts silence anew from an attach", () => {
    const view = reduce(viewOf(RUN.slice(0, 4)), { type: "attaching", threadId: "t1", at: 10_000 });
    expect(isQuiet(thread(view), 15_000, 15_000)).toBe(false);
    expect(isQuiet(thread(view), 25_000, 15_000)).toBe(true);
  });
});

describe("the cursor", () => {
  it("names the highest seq with no gap before it", () => {
    expect(cursorOf(thread(viewOf([...RUN.slice(0, 3), RUN[6] as string])))).toEqual({ r1: 3 });
  });

  it("starts at the first run that is not complete and names those after it", () => {
    const view = viewOf([
      ...RUN,
      event("user_message", 1, {}, "r2"),
      event("user_message", 1, {}, "r3"),
      event("agent_cancelled", 2, {}, "r3"),
    ]);
    expect(cursorOf(thread(view))).toEqual({ r2: 1, r3: 2 });
  });

  it("names the last run when all are complete, so that later ones are replayed", () => {
    const second = RUN.map((data) => data.replaceAll('"r1"', '"r2"'));
    expect(cursorOf(thread(viewOf([...RUN, ...second])))).toEqual({ r2: 8 });
  });

  it("is empty for a thread of which nothing is known", () => {
    expect(cursorOf(undefined)).toEqual({});
  });
});

describe("a queued run", () => {
  const queued = [...RUN.slice(0, 4), accepted("q2", "r2", "t1", "queued", 1), event("user_message", 1, {}, "r2")];
  const second = (view: View) => run(view, 1);

  it("takes its place from the list of threads, and from accepted only until then", () => {
    expect(positionOf(viewOf(queued), second(viewOf(queued)))).toBe(1);
    const view = viewOf([...queued, threadChanged({ active_run: "r1", queue: ["r3", "r2"] })]);
    expect(positionOf(view, second(view))).toBe(2);
  });

  it.each(["agent_started", "agent_resumed", "agent_sang", "agent_cancelled"])("is no longer one after %s", (type) => {
    const view = viewOf([...queued, event(type, 2, {}, "r2"), accepted("q2", "r2", "t1", "queued", 1)]);
    expect(stateOf(second(view))).not.toBe("queued");
    expect(positionOf(view, second(view))).toBeUndefined();
  });

  it("runs when the list or a heartbeat says so, though none of its events is here", () => {
    expect(stateOf(second(viewOf([...queued, threadChanged({ active_run: "r2" })])))).toBe("running");
    expect(stateOf(second(viewOf([...queued, heartbeat(1, "r2")])))).toBe("running");
  });

  it("stands behind one that interrupts, before and after that has begun", () => {
    const overtaken = [...queued, event("user_message", 1, {}, "r3")];
    const order = (view: View) => inTurn(view, "t1").map(({ runId }) => runId);
    const waiting = viewOf([...overtaken, threadChanged({ active_run: "r1", queue: ["r3", "r2"] })]);
    expect(order(waiting)).toEqual(["r1", "r3", "r2"]);
    const begun = viewOf([event("agent_cancelled", 5), event("agent_started", 2, {}, "r3")], waiting);
    expect(order(begun)).toEqual(["r1", "r3", "r2"]);
    expect(activeRun(thread(begun))?.runId).toBe("r3");
  });

  it("is known to be missing where the list names it, in a thread that was looked into", () => {
    const changed = threadChanged({ queue: ["r9"] });
    expect(misses(thread(viewOf([...RUN, changed])))).toBe(true);
    expect(inTurn(viewOf([...RUN, changed]), "t1").map(({ runId }) => runId)).toEqual(["r1"]);
    expect(viewOf([changed]).threads).toEqual({});
  });
});

describe("attached", () => {
  it("makes known what is still missing", () => {
    const view = viewOf([...RUN.slice(0, 2), attached("a1", [{ run_id: "r1", status: "running", seq: 4 }])]);
    expect(misses(thread(view))).toBe(true);
  });

  it("expects no events of runs that had ended before the first attach", () => {
    const view = viewOf([attached("a1", [{ run_id: "r0", status: "completed", seq: 9 }])]);
    expect(thread(view).runs).toEqual([]);
  });

  it("puts runs in the thread's order", () => {
    const heads = ["r1", "r2"].map((run_id) => ({ run_id, status: "queued", seq: 1 }));
    const view = viewOf([event("user_message", 1, {}, "r2"), event("user_message", 1), attached("a1", heads)]);
    expect(thread(view).runs.map(({ runId }) => runId)).toEqual(["r1", "r2"]);
  });
});

describe("a sent message", () => {
  const sent = reduce(viewOf([]), {
    type: "sent",
    requestId: "q1",
    text: "Hi",
    threadId: undefined,
    ifBusy: undefined,
  });

  it("finds its run by accepted, or by the user_message that names it", () => {
    const run = { runId: "r1", threadId: "t1" };
    expect(viewOf([accepted("q1")], sent).sent.q1).toMatchObject({ run });
    expect(viewOf([event("user_message", 1)], sent).sent.q1).toMatchObject({ run });
  });

  it("carries the refusal, unless the log has taken it up", () => {
    const refusal = JSON.stringify({ type: "error", id: "q1", code: "busy", message: "Busy", retryable: true });
    expect(viewOf([refusal], sent).sent.q1).toMatchObject({ error: { code: "busy", retryable: true } });
    expect(viewOf([event("user_message", 1), refusal], sent).sent.q1).toMatchObject({ error: undefined });
  });
});

describe("history and the list of threads", () => {
  const message = (run_id: string, text: string) => ({ role: "user", text, run_id, at: "2026-11-22T09:00:00Z" });

  const page = (...messages: object[]) => ({
    type: "page" as const,
    page: v.parse(REPLIES.history, { type: "history", id: "h1", thread_id: "t1", messages, before: "more" }),
    older: false,
  });

  it("leaves out of the history what is shown as a run", () => {
    const view = reduce(viewOf(RUN), page(message("r0", "a"), message("r1", "b")));
    expect(turnsBefore(thread(view)).map(({ text }) => text)).toEqual(["a"]);
  });

  it("puts an older page before the newer ones, and the newest page in the place of all", () => {
    const newer = reduce(viewOf([]), page(message("r2", "newer")));
    const both = reduce(newer, { ...page(message("r1", "older")), older: true });
    expect(turnsBefore(thread(both)).map(({ text }) => text)).toEqual(["older", "newer"]);
    expect(thread(both).before).toBe("more");
    expect(turnsBefore(thread(reduce(both, page(message("r3", "anew"))))).map(({ text }) => text)).toEqual(["anew"]);
  });

  it("puts the pieces of a long message together, across pages", () => {
    const end = reduce(viewOf([]), page(message("r1", "b"), message("r1", "c")));
    const whole = reduce(end, { ...page(message("r1", "a")), older: true });
    expect(turnsBefore(thread(whole)).map(({ text }) => text)).toEqual(["abc"]);
  });

  it("keeps each thread once, last changed first", () => {
    const item = (thread_id: string, updated_at: string) => ({ thread_id, title: thread_id, updated_at });
    const list = JSON.stringify({
      type: "threads",
      id: "l1",
      items: [item("a", "2026-01-01"), item("b", "2026-01-02")],
    });
    const changed = JSON.stringify({ type: "thread_changed", thread: item("a", "2026-01-03") });
    expect(viewOf([list, changed]).list.map(({ thread_id }) => thread_id)).toEqual(["a", "b"]);
  });

  it("drops what is older than what it knows of a thread", () => {
    const newer = threadChanged({ version: 10, queue: ["r2"] });
    expect(viewOf([newer, threadChanged({ version: 9 })]).list).toMatchObject([{ queue: ["r2"] }]);
    expect(viewOf([newer, threadChanged({ version: 11, title: "New" })]).list).toMatchObject([
      { title: "New", queue: [] },
    ]);
  });

  it("reads an item of a server that knows no queues", () => {
    const list = JSON.stringify({
      type: "threads",
      id: "l1",
      items: [{ thread_id: "a", title: "A", updated_at: "x" }],
    });
    expect(viewOf([list]).list).toMatchObject([{ queue: [], state: "live" }]);
  });
});
