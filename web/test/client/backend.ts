/** What a backend replays on `attach`, over logs that it holds. */
import type { Log } from "./legal";

export interface Bounds {
  readonly events: number;
  readonly runs: number;
  /** Whether the runs beyond a cut are named, with a seq of 0, or left out. */
  readonly naming: boolean;
}

export interface Replay {
  readonly events: readonly string[];
  readonly heads: { run_id: string; status: string; seq: number }[];
  readonly more: boolean;
}

/** `logs` in the order of admission. */
export function replay(logs: readonly Log[], after: Readonly<Record<string, number>>, bounds: Bounds): Replay {
  const named = Object.keys(after).toSorted();
  const oldest = named[0];
  const span = oldest === undefined ? [] : logs.filter((log) => log.runId >= oldest);
  // An ended run that is held whole takes no place among those that are looked at.
  const counted = span.filter((log) => isOpen(log) || (after[log.runId] ?? 0) < log.events.length);
  const beyond = counted[bounds.runs];
  const looked = beyond === undefined ? span : span.slice(0, span.indexOf(beyond));
  const cut = looked.length < span.length;
  const others = logs.filter((log) => isOpen(log) && !looked.includes(log));
  const events: string[] = [];
  const heads: { run_id: string; status: string; seq: number }[] = [];
  let full = false;
  for (const log of [...looked, ...others]) {
    if (full && !bounds.naming) break;
    const held = after[log.runId] ?? 0;
    const room = full ? 0 : bounds.events - events.length;
    const sent = log.events.slice(held, held + room);
    events.push(...sent);
    heads.push({ run_id: log.runId, status: log.status, seq: full ? 0 : held + sent.length });
    full ||= events.length >= bounds.events;
  }
  return { events, heads, more: cut || full };
}

function isOpen(log: Log): boolean {
  return log.status === "queued" || log.status === "running" || log.status === "waiting";
}
