/** One run as this client knows it: the gap-free log from seq 1 on, and what arrived ahead of a gap. */
import type { RunEvent } from "./protocol";
import { advance, EMPTY, isOver, type RunState, type Summary } from "./summary";

export interface RunView {
  readonly runId: string;
  readonly threadId: string;
  /** Events 1, 2, 3, … without a gap; its length is the cursor. */
  readonly events: readonly RunEvent[];
  /** Later events, ordered, waiting for the gap before them to be filled. */
  readonly held: readonly RunEvent[];
  /** The greatest seq known to exist, from an event, a heartbeat or an `attached`. */
  readonly known: number;
  /** What the server last called it in a reply; the events decide as soon as they say more. */
  readonly status: string;
  /** Its place in the queue when the run was accepted, or looked at: a hint, see `positionOf`. */
  readonly position: number | undefined;
  readonly summary: Summary;
  /** What its engine was at when it last said so, and nothing more has come since: a hint. */
  readonly phase: string | undefined;
  /** When this run was last heard of, on the caller's clock (ms). */
  readonly heardAt: number;
}

export function newRun(runId: string, threadId: string, at: number): RunView {
  return {
    runId,
    threadId,
    events: [],
    held: [],
    known: 0,
    status: "",
    position: undefined,
    summary: EMPTY,
    phase: undefined,
    heardAt: at,
  };
}

/** Takes an event in any order, any number of times; the summary only ever sees the gap-free part. */
export function withEvent(run: RunView, event: RunEvent, at: number): RunView {
  const heard = { ...run, heardAt: Math.max(run.heardAt, at), known: Math.max(run.known, event.seq) };
  if (event.seq <= run.events.length || run.held.some((other) => other.seq === event.seq)) return heard;
  const waiting = [...run.held, event].sort((a, b) => a.seq - b.seq);
  const events = [...run.events];
  let summary = run.summary;
  while (waiting[0]?.seq === events.length + 1) {
    const next = waiting.shift() as RunEvent;
    events.push(next);
    summary = advance(summary, next);
  }
  return { ...heard, events, held: waiting, summary, phase: undefined };
}

const STATES: Readonly<Record<string, RunState>> = {
  queued: "queued",
  running: "running",
  waiting: "waiting",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

/** The state that a reply's `status` names, if this client knows it. */
export function stateNamed(status: string): RunState | undefined {
  return Object.hasOwn(STATES, status) ? STATES[status] : undefined;
}

/** Where the run stands: an ending that anybody told of; else what the events say, once they say more than the message. */
export function stateOf(run: RunView): RunState {
  const { state } = run.summary;
  const said = stateNamed(run.status);
  if (isOver(state)) return state;
  if (said !== undefined && (isOver(said) || run.events.length < 2)) return said;
  return run.events.length < 2 && run.status !== "" ? "running" : state;
}

/** True when an event is known to be missing. */
export function hasGap(run: RunView): boolean {
  return run.known > run.events.length;
}

/** True when the run should have been heard of by now: heartbeats come every 5 s while it is running. */
export function isSilent(run: RunView, now: number, limit: number): boolean {
  return stateOf(run) === "running" && now - run.heardAt >= limit;
}

/** True when everything up to the run's ending is here. */
export function isComplete(run: RunView): boolean {
  return isOver(run.summary.state) && !hasGap(run);
}
