/** What a run's events say so far: a pure fold, one event at a time, over the run's gap-free log. */
import type { RunEvent } from "./protocol";

export type RunState = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

export type Step =
  | { readonly kind: "thinking"; readonly seq: number; readonly text: string; readonly progress: number | undefined }
  | {
      readonly kind: "tool";
      readonly seq: number;
      readonly callId: string;
      readonly name: string;
      readonly parameters: unknown;
      readonly status: "executing" | "waiting" | "ok" | "error" | "denied";
      readonly result: unknown;
      readonly milliseconds: number | undefined;
    }
  | { readonly kind: "resumed"; readonly seq: number; readonly reason: string };

export interface Summary {
  readonly state: RunState;
  readonly started: boolean;
  readonly agent: string;
  readonly text: string | undefined;
  readonly requestId: string | undefined;
  readonly at: string;
  readonly steps: readonly Step[];
  /** Streamed text by seq; what `discard_after` voided is no longer in it. */
  readonly pieces: readonly { readonly seq: number; readonly text: string }[];
  readonly result: string | undefined;
  readonly truncated: boolean;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | undefined;
  readonly milliseconds: number | undefined;
}

export const EMPTY: Summary = {
  state: "queued",
  started: false,
  agent: "",
  text: undefined,
  requestId: undefined,
  at: "",
  steps: [],
  pieces: [],
  result: undefined,
  truncated: false,
  error: undefined,
  milliseconds: undefined,
};

export function isOver(state: RunState): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** The answer as it should be read now: the final result once there is one, else what was streamed. */
export function answerOf(summary: Summary): string {
  // A truncated result was cut to the size of an event; the streamed text is then the longer truth.
  const streamed = summary.pieces.map((piece) => piece.text).join("");
  if (summary.result === undefined || summary.truncated) return streamed || (summary.result ?? "");
  return summary.result;
}

export function advance(before: Summary, event: RunEvent): Summary {
  const summary = event.agent_name ? { ...before, agent: event.agent_name } : before;
  switch (event.type) {
    case "user_message":
      return {
        ...summary,
        text: event.payload.text,
        requestId: event.payload.request_id ?? undefined,
        at: event.timestamp,
      };
    case "agent_started":
      return { ...summary, state: "running", started: true };
    case "agent_thinking": {
      const { reasoning, progress_percentage } = event.payload;
      const step: Step = {
        kind: "thinking",
        seq: event.seq,
        text: reasoning,
        progress: progress_percentage ?? undefined,
      };
      return { ...summary, state: "running", steps: [...summary.steps, step] };
    }
    case "agent_delta":
      return { ...summary, pieces: [...summary.pieces, { seq: event.seq, text: event.payload.text }] };
    case "tool_executing":
      return { ...summary, state: "running", steps: withTool(summary.steps, event.seq, event.payload, "executing") };
    case "approval_requested":
      return { ...summary, state: "waiting", steps: withTool(summary.steps, event.seq, event.payload, "waiting") };
    case "tool_completed":
      return { ...summary, steps: withResult(summary.steps, event.seq, event.payload) };
    case "agent_resumed": {
      const { reason, discard_after } = event.payload;
      const pieces =
        typeof discard_after === "number"
          ? summary.pieces.filter((piece) => piece.seq <= discard_after)
          : summary.pieces;
      const step: Step = { kind: "resumed", seq: event.seq, reason };
      return { ...summary, state: "running", started: true, pieces, steps: [...summary.steps, step] };
    }
    case "agent_completed": {
      const { result, truncated, execution_time_ms } = event.payload;
      const milliseconds = execution_time_ms ?? undefined;
      return { ...summary, state: "completed", result, truncated: truncated ?? false, milliseconds };
    }
    case "agent_error":
      return { ...summary, state: "failed", error: event.payload };
    case "agent_cancelled":
      return { ...summary, state: "cancelled", milliseconds: event.payload.execution_time_ms ?? undefined };
    case "unknown":
      return summary;
  }
}

interface Call {
  readonly tool_name: string;
  readonly tool_call_id: string;
  readonly parameters?: unknown;
}

function withTool(steps: readonly Step[], seq: number, call: Call, status: "executing" | "waiting"): readonly Step[] {
  const step: Step = {
    kind: "tool",
    seq,
    callId: call.tool_call_id,
    name: call.tool_name,
    parameters: call.parameters,
    status,
    result: undefined,
    milliseconds: undefined,
  };
  return replaced(steps, step);
}

interface Outcome extends Call {
  readonly status: "ok" | "error" | "denied";
  readonly result?: unknown;
  readonly execution_time_ms?: number | null | undefined;
}

function withResult(steps: readonly Step[], seq: number, outcome: Outcome): readonly Step[] {
  const call = steps.find((step) => step.kind === "tool" && step.callId === outcome.tool_call_id);
  return replaced(steps, {
    kind: "tool",
    seq: call?.seq ?? seq,
    callId: outcome.tool_call_id,
    name: outcome.tool_name,
    parameters: call?.kind === "tool" ? call.parameters : undefined,
    status: outcome.status,
    result: outcome.result,
    milliseconds: outcome.execution_time_ms ?? undefined,
  });
}

/** A call's step keeps its place: a result or a repeated start replaces what stood there. */
function replaced(steps: readonly Step[], step: Extract<Step, { kind: "tool" }>): readonly Step[] {
  const at = steps.findIndex((other) => other.kind === "tool" && other.callId === step.callId);
  return at < 0 ? [...steps, step] : steps.with(at, step);
}
