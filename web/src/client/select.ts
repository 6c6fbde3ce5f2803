/** What is asked of a view: what to show, what to attach with, and whether anything is missing. */
import type { Message } from "./protocol";
import { hasGap, isComplete, isSilent, type RunView, stateOf } from "./run";
import type { ThreadView } from "./view";

/** Older messages that no run of the thread shows; the pieces of a long one are put together again. */
export function turnsBefore(thread: ThreadView): readonly Message[] {
  const shown = new Set(thread.runs.filter((run) => run.events.length > 0).map((run) => run.runId));
  const whole: Message[] = [];
  for (const piece of thread.history) {
    if (shown.has(piece.run_id)) continue;
    const last = whole.at(-1);
    if (last?.run_id === piece.run_id && last.role === piece.role) {
      whole[whole.length - 1] = { ...last, text: last.text + piece.text };
    } else whole.push(piece);
  }
  return whole;
}

/** The run of a thread that has not ended, if there is one; the active one before queued ones. */
export function activeRun(thread: ThreadView | undefined): RunView | undefined {
  const open = (thread?.runs ?? []).filter((run) => ["queued", "running", "waiting"].includes(stateOf(run)));
  return open.find((run) => stateOf(run) !== "queued") ?? open[0];
}

/** Runs that one cursor may name. */
const MAX_NAMED = 50;

/**
 * The cursor to attach with: `{run_id: highest seq with no gap before it}`.
 *
 * The server replays from the oldest run named on, so it starts at the first run that is not complete, or at the last
 * one: completed runs before that would only be read again for nothing.
 */
export function cursorOf(thread: ThreadView | undefined): Readonly<Record<string, number>> {
  const runs = thread?.runs ?? [];
  const first = runs.findIndex((run) => !isComplete(run));
  const from = first < 0 ? runs.length - 1 : first;
  const named = runs.slice(Math.max(from, 0)).slice(0, MAX_NAMED);
  return Object.fromEntries(named.map((run) => [run.runId, run.events.length]));
}

/** True when the thread misses an event that is known to exist. */
export function misses(thread: ThreadView | undefined): boolean {
  return (thread?.runs ?? []).some(hasGap);
}

/** True when a run of the thread that should be heard of is not. `limit` in ms. */
export function isQuiet(thread: ThreadView | undefined, now: number, limit: number): boolean {
  return (thread?.runs ?? []).some((run) => isSilent(run, now, limit));
}
