/** What a run's events say so far: a pure fold, one event at a time, over the run's gap-free log. */
import { completed, executing, requested, settled, stateBy, stopped } from "./calls";
import type { RunEvent } from "./protocol";
import type { Step } from "./step";

export type RunState = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

interface Piece {
  readonly seq: number;
  readonly text: string;
}

export interface Summary {
  readonly state: RunState;
  readonly agent: string;
  readonly text: string | undefined;
  readonly requestId: string | undefined;
  readonly at: string;
  /** When something first came after the message: an engine, or an end without one. */
  readonly begunAt: string;
  readonly steps: readonly Step[];
  /** Streamed text by seq; what `discard_after` voided is no longer in it. */
  readonly pieces: readonly Piece[];
  /** The model's own reasoning by seq, likewise. */
  readonly reasoning: readonly Piece[];
  readonly result: string | undefined;
  readonly truncated: boolean;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | undefined;
  readonly milliseconds: number | undefined;
}

export const EMPTY: Summary = {
  state: "queued",
  agent: "",
  text: undefined,
  requestId: undefined,
  at: "",
  begunAt: "",
  steps: [],
  pieces: [],
  reasoning: [],
  result: undefined,
  truncated: false,
  error: undefined,
  milliseconds: undefined,
};

export function isOver(state: RunState): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** The answer as it should be read now: the final result once there is one, else what the present request has streamed. */
export function answerOf(summary: Summary): string {
  const from = lastRequest(summary);
  const streamed = joined(summary.pieces.filter((piece) => piece.seq > from));
  // A truncated result was cut to the size of an event; the streamed text is then the longer truth.
  if (summary.result === undefined || summary.truncated) return streamed || (summary.result ?? "");
  return summary.result;
}

/** What was done and, between its steps, what was said before a tool was called: that is no part of the answer. */
export function linesOf(summary: Summary): readonly (Step | { readonly kind: "said"; seq: number; text: string })[] {
  const from = lastRequest(summary);
  const lines: (Step | { kind: "said"; seq: number; text: string })[] = [];
  let early = summary.pieces.filter((piece) => piece.seq < from);
  for (const step of summary.steps) {
    const said = early.filter((piece) => piece.seq < step.seq);
    const text = joined(said);
    if (text.trim() !== "") lines.push({ kind: "said", seq: said[0]?.seq ?? 0, text });
    early = early.slice(said.length);
    lines.push(step);
  }
  return lines;
}

export function advance(before: Summary, event: RunEvent): Summary {
  const summary = { ...before, agent: event.agent_name || before.agent };
  if (event.type === "user_message") {
    const { text, request_id } = event.payload;
    return { ...summary, text, requestId: request_id ?? undefined, at: event.timestamp };
  }
  const begun = { ...summary, begunAt: summary.begunAt || event.timestamp };
  switch (event.type) {
    case "agent_completed": {
      const { result, truncated } = event.payload;
      return { ...ended(begun, event), state: "completed", result, truncated: truncated ?? false };
    }
    case "agent_error":
      return { ...ended(begun, event), state: "failed", error: event.payload };
    case "agent_cancelled":
      return { ...ended(begun, event), state: "cancelled" };
    default:
      return underWay(begun, event);
  }
}

type Terminal = Extract<RunEvent, { readonly type: "agent_completed" | "agent_error" | "agent_cancelled" }>;
type Message = Extract<RunEvent, { readonly type: "user_message" }>;

function underWay(summary: Summary, event: Exclude<RunEvent, Terminal | Message>): Summary {
  const { seq } = event;
  switch (event.type) {
    case "agent_started":
      return { ...summary, state: "running" };
    case "agent_thinking": {
      const { reasoning: text, progress_percentage } = event.payload;
      const step: Step = { kind: "thinking", seq, text, progress: progress_percentage ?? undefined };
      return { ...summary, state: "running", steps: [...summary.steps, step] };
    }
    case "agent_delta":
      return { ...summary, state: "running", pieces: [...summary.pieces, { seq, text: event.payload.text }] };
    case "agent_reasoning":
      return { ...summary, state: "running", reasoning: [...summary.reasoning, { seq, text: event.payload.text }] };
    case "agent_retrying": {
      const after = event.payload.discard_after ?? 0;
      return {
        ...summary,
        pieces: summary.pieces.filter((piece) => piece.seq <= after),
        reasoning: summary.reasoning.filter((piece) => piece.seq <= after),
      };
    }
    case "tool_progress":
      return summary;
    case "tool_executing":
      return called(summary, executing(summary.steps, seq, event.payload));
    case "approval_requested":
      return called(summary, requested(summary.steps, seq, event.payload));
    case "tool_completed":
      return called(summary, completed(summary.steps, seq, event.payload));
    case "agent_resumed": {
      const { reason, discard_after } = event.payload;
      const settling = (["answered", "expired"] as const).find((known) => known === reason);
      const after = settling === undefined ? summary.steps : settled(summary.steps, settling);
      const pieces = summary.pieces.filter((piece) => piece.seq <= (discard_after ?? seq));
      const reasoning = summary.reasoning.filter((piece) => piece.seq <= (discard_after ?? seq));
      return { ...summary, state: "running", pieces, reasoning, steps: [...after, { kind: "resumed", seq, reason }] };
    }
    case "unknown":
      return summary.state === "queued" ? { ...summary, state: "running" } : summary;
  }
}

function called(summary: Summary, steps: readonly Step[]): Summary {
  return { ...summary, state: stateBy(steps), steps };
}

function ended(summary: Summary, event: Terminal): Summary {
  const time = "execution_time_ms" in event.payload ? event.payload.execution_time_ms : undefined;
  return { ...summary, steps: stopped(summary.steps), milliseconds: time ?? undefined };
}

/** The seq of the latest request to the model: text after it is the answer, as far as anybody knows. */
function lastRequest(summary: Summary): number {
  return summary.steps.findLast((step) => step.kind === "thinking")?.seq ?? 0;
}

function joined(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}
