/** One thread as this client knows it: its runs in the order in which they were admitted, and older messages. */
import type { Message, ReplyOf, ThreadItem } from "./protocol";
import { newRun, type RunView, stateNamed } from "./run";
import { isOver } from "./summary";

export interface ThreadView {
  readonly threadId: string;
  /** By their ids, which sort in the order of admission; `inTurn` gives the order in which they run. */
  readonly runs: readonly RunView[];
  /** Older turns, oldest first; those of `runs` are left out by `turnsBefore`. */
  readonly history: readonly Message[];
  readonly before: string | undefined;
  readonly historyLoaded: boolean;
}

export function newThread(threadId: string): ThreadView {
  return { threadId, runs: [], history: [], before: undefined, historyLoaded: false };
}

export function withRun(thread: ThreadView, runId: string, at: number, change: (run: RunView) => RunView): ThreadView {
  const index = thread.runs.findIndex((run) => run.runId === runId);
  const run = thread.runs[index];
  if (run !== undefined) return { ...thread, runs: thread.runs.with(index, change(run)) };
  const place = thread.runs.findIndex((other) => other.runId > runId);
  const created = change(newRun(runId, thread.threadId, at));
  return { ...thread, runs: thread.runs.toSpliced(place < 0 ? thread.runs.length : place, 0, created) };
}

/** What the server says when it has attached this client: where the runs stand that it looked at. */
export function withHeads(before: ThreadView, heads: ReplyOf<"attached">["runs"], at: number): ThreadView {
  // Attached without a cursor, runs that have ended are not replayed: they are read from the history.
  const fresh = before.runs.length === 0;
  return heads
    .filter(({ status }) => !(fresh && isOver(stateNamed(status) ?? "running")))
    .reduce(
      (thread, { run_id, status, seq, position }) =>
        withRun(thread, run_id, at, (run) => ({
          ...run,
          status,
          position: position ?? undefined,
          known: Math.max(run.known, seq),
          heardAt: Math.max(run.heardAt, at),
        })),
      before,
    );
}

/**
 * What the list of threads says of the runs that have not ended. Every run has its message, so one that is named and of
 * which nothing is here is known to be missing.
 */
export function withItem(before: ThreadView, item: ThreadItem, at: number): ThreadView {
  const said = (status: string) => (run: RunView) => {
    const moved = run.status === "" || run.status === "queued" ? { ...run, status } : run;
    return { ...moved, known: Math.max(run.known, 1) };
  };
  const queued = item.queue.reduce((thread, runId) => withRun(thread, runId, at, said("queued")), before);
  return item.active_run ? withRun(queued, item.active_run, at, said("running")) : queued;
}
