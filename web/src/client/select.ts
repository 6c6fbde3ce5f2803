/** What is asked of a view: what to show, what to attach with, and whether anything is missing. */
import type { Message, ReplyOf } from "./protocol";
import { hasGap, isComplete, isSilent, type RunView, stateNamed, stateOf } from "./run";
import { isOver } from "./summary";
import type { ThreadView } from "./thread";
import type { View } from "./view";

/** Older messages that no run of the thread shows; the pieces of a long one are put together again. */
export function turnsBefore(thread: ThreadView): readonly Message[] {
  const shown = new Set(thread.runs.filter((run) => run.events.length > 0).map((run) => run.runId));
  const whole: Message[] = [];
  for (const piece of thread.history) {
    if (shown.has(piece.run_id)) continue;
    const last = whole.at(-1);
    if (last?.run_id === piece.run_id && last.role === piece.role) {
      whole[whole.length - 1] = { ...last, text: last.text + piece.text, finish: piece.finish };
    } else whole.push(piece);
  }
  return whole;
}

/**
 * A thread's runs in the order in which they run: one that interrupts is admitted after those that wait, and begins
 * before them. Runs of which nothing is here yet, and that are not this client's own, are left out.
 */
export function inTurn(view: View, threadId: string): readonly RunView[] {
  const own = new Set(Object.values(view.sent).map((sent) => sent.run?.runId));
  const runs = (view.threads[threadId]?.runs ?? []).filter((run) => run.events.length > 0 || own.has(run.runId));
  const begun = runs.filter((run) => run.summary.begunAt !== "");
  const waiting = runs.filter((run) => run.summary.begunAt === "");
  const place = (run: RunView) => (stateOf(run) === "queued" ? (positionOf(view, run) ?? Number.MAX_VALUE) : 0);
  return [
    ...begun.toSorted((a, b) => compare(a.summary.begunAt, b.summary.begunAt)),
    ...waiting.toSorted((a, b) => place(a) - place(b)),
  ];
}

/** A queued run's place among those that wait, from 1. */
export function positionOf(view: View, run: RunView): number | undefined {
  if (stateOf(run) !== "queued") return undefined;
  const queue = view.list.find((item) => item.thread_id === run.threadId)?.queue ?? [];
  const place = queue.indexOf(run.runId);
  return place < 0 ? run.position : place + 1;
}

/** The run of a thread that has not ended, if there is one; the active one before queued ones. */
export function activeRun(thread: ThreadView | undefined): RunView | undefined {
  const open = (thread?.runs ?? []).filter((run) => !isOver(stateOf(run)));
  return open.find((run) => stateOf(run) !== "queued") ?? open[0];
}

/** Runs that one cursor may name. */
const MAX_NAMED = 50;

type Cursor = Readonly<Record<string, number>>;

/**
 * The cursor to attach with: `{run_id: highest seq with no gap before it}`.
 *
 * The server replays from the oldest run named on, so it starts at the oldest run that is not complete, or at the newest
 * one: completed runs before that would only be read again for nothing. It names what it holds of all later ones, for
 * what is not named is replayed whole; beyond the bound they are the newest that are not named. `from` is where a replay
 * that was cut goes on, see `restOf`.
 */
export function cursorOf(thread: ThreadView | undefined, from?: string): Cursor {
  const runs = thread?.runs ?? [];
  const start = from ?? runs.find((run) => !isComplete(run))?.runId ?? runs.at(-1)?.runId;
  if (start === undefined) return {};
  const held = runs.filter((run) => run.runId >= start).slice(0, MAX_NAMED);
  return { ...(from === undefined ? {} : { [from]: 0 }), ...Object.fromEntries(held.map(eventsHere)) };
}

export interface Rest {
  /** The replay was cut. */
  readonly more: boolean;
  /** The run at which it goes on. */
  readonly from: string | undefined;
}

/**
 * What is left of a replay that was asked for with `asked`, beginning at `from` where one before it was cut.
 *
 * The server goes through the runs from the oldest named on, as many as it looks at, and then through the open ones that
 * are not among these. Those it came past are here as they stand, and what they say from now on comes live. To begin at
 * the oldest again would never come past the first so many, so it goes on at a run that surely is one of them: the last
 * that is over, for others may be open ones from behind the cut, or at least the second.
 */
export function restOf(reply: ReplyOf<"attached">, asked: Cursor, from?: string): Rest {
  if (!reply.more) return { more: false, from: undefined };
  const beyond = reply.runs.findIndex(({ run_id, seq }) => seq < Math.max(1, asked[run_id] ?? 0));
  const reached = reply.runs.slice(0, beyond < 0 ? reply.runs.length : beyond);
  const start = from ?? Object.keys(asked).toSorted()[0];
  // Without a cursor there are open runs alone, and what is here of them now makes the next one.
  if (start === undefined) return { more: true, from: undefined };
  const span = reached.filter(({ run_id }) => run_id >= start).toSorted((a, b) => compare(a.run_id, b.run_id));
  const over = span.findLast(({ status }) => isOver(stateNamed(status) ?? "running"));
  const next = [over?.run_id, span[1]?.run_id, start].reduce((a = "", b = "") => (a > b ? a : b)) ?? start;
  const last = reached.at(-1)?.run_id ?? start;
  // An open run that is older than what was asked for was looked at before, and is replayed in vain.
  if (from === next && last < start) return { more: false, from: undefined };
  return { more: true, from: next };
}

/** True when the thread misses an event that is known to exist. */
export function misses(thread: ThreadView | undefined): boolean {
  return (thread?.runs ?? []).some(hasGap);
}

/** True when a run of the thread that should be heard of is not. `limit` in ms. */
export function isQuiet(thread: ThreadView | undefined, now: number, limit: number): boolean {
  return (thread?.runs ?? []).some((run) => isSilent(run, now, limit));
}

function eventsHere(run: RunView): readonly [string, number] {
  return [run.runId, run.events.length];
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
