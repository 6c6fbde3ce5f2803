/** Frames as a server would send them, written by hand. */
import { parseFrame } from "../../src/client/parse";
import { type Action, NOTHING, reduce, type View } from "../../src/client/view";

const PAYLOADS: Record<string, unknown> = {
  user_message: { text: "What is 17 * 23?", request_id: "q1" },
  agent_started: { message: "Starting" },
  agent_thinking: { reasoning: "I will calculate", step_number: 1 },
  agent_delta: { text: "x" },
  agent_reasoning: { text: "hm" },
  agent_retrying: { reason: "throttled", retry: 1, delay_ms: 1_250, discard_after: 0 },
  tool_executing: { tool_name: "calculate", tool_call_id: "c1", parameters: { expression: "17 * 23" } },
  tool_progress: { tool_name: "calculate", tool_call_id: "c1", message: "3 of 10" },
  tool_completed: {
    tool_name: "calculate",
    tool_call_id: "c1",
    status: "ok",
    result: "391",
    execution_time_ms: 3,
  },
  approval_requested: {
    tool_name: "delete_notes",
    tool_call_id: "c1",
    parameters: {},
    expires_at: "2026-11-22T11:00:00.123Z",
  },
  agent_resumed: { attempt: 2, reason: "engine_lost" },
  agent_completed: { result: "391", truncated: false, execution_time_ms: 40, usage: { requests: 2 } },
  agent_error: { code: "agent_failed", message: "No", retryable: true },
  agent_cancelled: { execution_time_ms: 5 },
};

export function event(type: string, seq: number, payload: object = {}, run = "r1", thread = "t1"): string {
  return JSON.stringify({
    type,
    run_id: run,
    thread_id: thread,
    seq,
    timestamp: "2026-11-22T10:00:00.123Z",
    agent_name: "assistant",
    payload: { ...(PAYLOADS[type] as object), ...payload },
  });
}

export const accepted = (id: string, run = "r1", thread = "t1", status = "running", position?: number) =>
  JSON.stringify({ type: "accepted", id, run_id: run, thread_id: thread, status, position, duplicate: false });

export const attached = (id: string, runs: object[] = [], more = false, thread = "t1") =>
  JSON.stringify({ type: "attached", id, thread_id: thread, runs, more });

export const heartbeat = (lastSeq: number, run = "r1", thread = "t1", phase = "model") =>
  JSON.stringify({
    type: "agent_heartbeat",
    run_id: run,
    thread_id: thread,
    last_seq: lastSeq,
    phase,
    elapsed_ms: 5_000,
  });

export const threadChanged = (item: object = {}) =>
  JSON.stringify({
    type: "thread_changed",
    thread: { thread_id: "t1", title: "T", updated_at: "2026-11-22T10:00:00.000Z", queue: [], state: "live", ...item },
  });

/** The view after these frames, each one a JSON text. */
export function viewOf(frames: readonly string[], from: View = NOTHING, at = 0): View {
  return frames.map((data): Action => ({ type: "frame", frame: parseFrame(data), at })).reduce(reduce, from);
}
