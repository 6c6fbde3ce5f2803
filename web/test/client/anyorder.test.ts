import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { isOpen } from "../../src/client/calls";
import { stateOf } from "../../src/client/run";
import { cursorOf, misses, restOf } from "../../src/client/select";
import { answerOf, isOver, linesOf } from "../../src/client/summary";
import { NOTHING, type View } from "../../src/client/view";
import { REPLIES } from "../../src/protocol/generated";
import { type Bounds, replay } from "./backend";
import { Chance } from "./chance";
import { accepted, attached, event, heartbeat, viewOf } from "./frames";
import { type Log, legalLog } from "./legal";

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);

function logsOf(chance: Chance, most = 4): Log[] {
  return Array.from({ length: 1 + chance.below(most) }, (_, index) => legalLog(chance, `r${10 + index}`));
}

const stand = (logs: readonly Log[]) =>
  attached(
    "a",
    logs.map(({ runId, status, events }) => ({ run_id: runId, status, seq: events.length })),
  );

const inOrder = (logs: readonly Log[]) => viewOf([...logs.flatMap(({ events }) => events), stand(logs)]);

/** What a reader sees of it. */
const shown = (view: View) =>
  view.threads.t1?.runs.map((run) => ({
    runId: run.runId,
    state: stateOf(run),
    events: run.events,
    held: run.held,
    summary: run.summary,
  }));

/** Of each run something arrives, if only its end: a run of which nothing ever came is in the history. */
function arriving(chance: Chance, logs: readonly Log[]): string[] {
  const events = logs.flatMap(({ events }) => {
    const kept = chance.pick(events);
    return events.filter((data) => data === kept || chance.is(0.7));
  });
  const again = events.filter(() => chance.is(0.3));
  const asides = logs.flatMap(({ runId, status, events }) => [
    accepted(`q-${runId}`, runId, "t1", chance.pick(["queued", "running"]), 1),
    ...(status === "queued" || events.length < 2 ? [] : [heartbeat(1 + chance.below(events.length), runId)]),
  ]);
  return chance.shuffled([...events, ...again, ...asides.filter(() => chance.is(0.5))]);
}

/** Attaches until there is no more; gives the view, and how often it took. */
function reattached(before: View, logs: readonly Log[], bounds: Bounds): { view: View; times: number } {
  let view = before;
  let from: string | undefined;
  for (let times = 1; times < 1_000; times += 1) {
    const after = cursorOf(view.threads.t1, from);
    expect(Object.keys(after).length).toBeLessThanOrEqual(50);
    const { events, heads, more } = replay(logs, after, bounds);
    const reply = attached("a", heads, more);
    view = viewOf([...events, reply], view);
    const rest = restOf(v.parse(REPLIES.attached, JSON.parse(reply)), after, from);
    if (!rest.more) return { view, times };
    from = rest.from;
  }
  throw new Error("attaching does not come to an end");
}

describe("a legal log", () => {
  it("is shown as it was meant", () => {
    for (const log of SEEDS.flatMap((seed) => logsOf(new Chance(seed)))) {
      const run = inOrder([log]).threads.t1?.runs[0];
      if (run === undefined) throw new Error("no run");
      expect(stateOf(run)).toBe(log.status);
      // The deltas of the last response that are not void are the answer, whether or not its end repeats it.
      expect(answerOf({ ...run.summary, result: undefined })).toBe(log.said);
      if (log.status === "completed") expect(answerOf(run.summary)).toBe(log.said);
      expect(run.summary.steps.filter(isOpen).map(({ callId }) => callId)).toEqual(log.open);
      const calls = run.summary.steps.filter((step) => step.kind === "tool");
      expect(new Set(calls.map(({ callId }) => callId)).size).toBe(calls.length);
      if (isOver(stateOf(run))) {
        expect(calls.filter(({ status }) => status === "waiting" || status === "executing")).toEqual([]);
      }
      expect(calls.filter(({ status, progress }) => progress !== undefined && status !== "executing")).toEqual([]);
      const said = linesOf(run.summary).map((line) => (line.kind === "said" ? line.text : ""));
      const reasoned = linesOf(run.summary).flatMap((line) => (line.kind === "reasoning" ? [line.text] : []));
      expect(reasoned).toEqual(log.reasoned);
      const answered = [...said, answerOf({ ...run.summary, result: undefined })].join("");
      expect(answered).not.toContain("hm-");
      const shownText = answered + reasoned.join("");
      expect(log.voided.filter((text) => shownText.includes(text))).toEqual([]);
      const seqs = linesOf(run.summary).map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
  });

  it("ends in the same view in any order, twice or lost and fetched again", () => {
    for (const seed of SEEDS) {
      const chance = new Chance(seed);
      const logs = logsOf(chance);
      const bounds = { events: 1 + chance.below(20), runs: 2 + chance.below(4), naming: chance.is(0.5) };
      const { view } = reattached(viewOf(arriving(chance, logs)), logs, bounds);
      expect(misses(view.threads.t1), `seed ${seed}`).toBe(false);
      expect(shown(view), `seed ${seed}`).toEqual(shown(inOrder(logs)));
    }
  });
});

describe("attaching until there is no more", () => {
  const waiting = (count: number): Log[] =>
    Array.from({ length: count }, (_, index) => {
      const runId = `r${100 + index}`;
      const [first = ""] = legalLog(new Chance(index), runId).events;
      return {
        runId,
        events: [first],
        status: "queued",
        said: "",
        reasoned: [],
        voided: [],
        truncated: false,
        open: [],
      };
    });

  it.each([
    ["named", true],
    ["left out", false],
  ])("comes past more incomplete runs than a cursor names or a replay looks at, the rest %s", (_, naming) => {
    const runs = waiting(120);
    const logs = runs.map((log, index): Log => {
      if (index === 0 || index === 100) return log;
      return { ...log, events: [...log.events, event("agent_cancelled", 2, {}, log.runId)], status: "cancelled" };
    });
    const held = viewOf(runs.flatMap(({ events }) => events));
    const { view, times } = reattached(held, logs, { events: 300, runs: 20, naming });
    expect(times).toBeLessThan(10);
    expect(view.threads.t1?.runs.map(stateOf)).toEqual(logs.map(({ status }) => status));
  });

  it("comes past runs that are all open, and more than a replay looks at", () => {
    const logs = waiting(21);
    const { view } = reattached(viewOf(logs[0]?.events ?? []), logs, { events: 300, runs: 20, naming: true });
    expect(view.threads.t1?.runs).toHaveLength(21);
  });

  it("ends where an open run from before all that was asked for is longer than a replay", () => {
    const [first, ...others] = waiting(30);
    if (first === undefined) throw new Error("no run");
    const deltas = Array.from({ length: 30 }, (_, index) => event("agent_delta", index + 2, {}, first.runId));
    const long: Log = { ...first, events: [...first.events, ...deltas], status: "running" };
    const logs = [long, ...others.map((log): Log => ({ ...log, status: "failed" }))];
    const held = viewOf([...long.events, ...others.flatMap(({ events }) => events)]);
    expect(reattached(held, logs, { events: 10, runs: 4, naming: true }).times).toBeLessThan(30);
  });

  it("brings a run that was admitted last and ran first, and those that it overtook", () => {
    const [active, second, third] = waiting(3);
    const interrupting = legalLog(new Chance(4), "r200");
    const logs = [active, second, third, interrupting].filter((log) => log !== undefined);
    const held = viewOf([...interrupting.events, ...(second?.events ?? [])]);
    expect(cursorOf(held.threads.t1)).toEqual({ r101: 1, r200: interrupting.events.length });
    const { view } = reattached(held, logs, { events: 300, runs: 20, naming: false });
    expect(view.threads.t1?.runs.map(({ runId }) => runId)).toEqual(["r100", "r101", "r102", "r200"]);
  });

  it("begins at what was open before it knew of anything", () => {
    const logs = [...waiting(2), legalLog(new Chance(4), "r200")];
    const { view } = reattached(NOTHING, logs, { events: 300, runs: 20, naming: false });
    expect(view.threads.t1?.runs.slice(0, 2).map(({ runId }) => runId)).toEqual(["r100", "r101"]);
  });
});
