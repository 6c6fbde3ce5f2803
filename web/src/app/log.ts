/** The event log: frames as they arrived, newest last, bounded; repeats of heartbeats and pieces are counted together. */
import type { Frame } from "../client";

export interface Entry {
  readonly number: number;
  readonly at: Date;
  readonly type: string;
  readonly runId: string;
  readonly seq: number | undefined;
  readonly times: number;
  readonly body: unknown;
}

const LONGEST = 400;
const MERGED = new Set(["agent_delta", "agent_reasoning", "tool_progress", "agent_heartbeat"]);

/** Replies that belong to the page's own housekeeping, not to a run. */
const LEFT_OUT = new Set(["threads", "history", "detached", "pong"]);

export function logged(log: readonly Entry[], frame: Frame, at: Date): readonly Entry[] {
  if (frame.kind === "reply" && LEFT_OUT.has(frame.reply.type)) return log;
  const last = log.at(-1);
  const number = (last?.number ?? 0) + 1;
  const entry: Entry = { number, at, ...described(frame), times: 1 };
  if (last !== undefined && MERGED.has(entry.type) && last.type === entry.type && last.runId === entry.runId) {
    return [...log.slice(0, -1), { ...entry, number: last.number, times: last.times + 1 }];
  }
  return [...log, entry].slice(-LONGEST);
}

function described(frame: Frame): Pick<Entry, "type" | "runId" | "seq" | "body"> {
  switch (frame.kind) {
    case "event": {
      const { event } = frame;
      const type = event.type === "unknown" ? event.payload.type : event.type;
      return { type, runId: event.run_id, seq: event.seq, body: event };
    }
    case "reply": {
      const runId = "run_id" in frame.reply ? (frame.reply.run_id ?? "") : "";
      return { type: frame.reply.type, runId, seq: undefined, body: frame.reply };
    }
    case "notice": {
      const runId = "run_id" in frame.notice ? frame.notice.run_id : "";
      return { type: frame.notice.type, runId, seq: undefined, body: frame.notice };
    }
    case "error":
      return { type: "error", runId: "", seq: undefined, body: frame.error };
    case "gateway":
      return { type: "gateway error", runId: "", seq: undefined, body: frame.error };
    case "ignored":
      return { type: frame.type, runId: "", seq: undefined, body: {} };
    case "malformed":
      return { type: "malformed", runId: "", seq: undefined, body: { reason: frame.reason } };
  }
}
