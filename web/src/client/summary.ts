/** What a run's events say so far: a pure fold, one event at a time, over the run's gap-free log. */
import { completed, executing, progressed, requested, settled, stateBy, stopped } from "./calls";
import type { EventOf, RunEvent } from "./protocol";
import type { RetryStep, Step } from "./step";

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
  /** A structured answer, from an agent that gives one. */
  readonly output: Readonly<Record<string, unknown>> | undefined;
  readonly truncated: boolean;
  /** How the model ended the answer: a whole one is `complete`. */
  readonly finish: string;
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
  output: undefined,
  truncated: false,
  finish: "complete",
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

/** `said`: before a tool was called. `reasoning`: all that the model reasoned in one request. */
export type Line = Step | { readonly kind: "said" | "reasoning"; readonly seq: number; readonly text: string };

/** What was done and, between its steps, what was said and reasoned on the way: that is no part of the answer. */
export function linesOf(summary: Summary): readonly Line[] {
  const from = lastRequest(summary);
  const said = summary.pieces.filter((piece) => piece.seq < from);
  const requests = summary.steps.filter((step) => step.kind === "thinking");
  const lines = [
    ...summary.steps,
    ...between(summary.steps, said).map(({ seq, text }) => ({ kind: "said" as const, seq, text })),
    ...between(requests, summary.reasoning).map(({ seq, text }) => ({ kind: "reasoning" as const, seq, text })),
  ];
  return lines.toSorted((a, b) => a.seq - b.seq);
}

/** True while the last that came is a piece of the answer. */
export function isSpeaking(summary: Summary): boolean {
  const others = [...summary.steps.map(({ seq }) => seq), summary.reasoning.at(-1)?.seq ?? 0];
  return (summary.pieces.at(-1)?.seq ?? 0) > Math.max(...others);
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
      const { result, output, truncated, finish } = event.payload;
      return { ...ended(begun, event), state: "completed", result, output, truncated: truncated ?? false, finish };
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
      const kept: Summary = { ...withoutText(summary, event.payload.discard_after), state: "running" };
      // Nothing failed: what was shown as the answer follows once more, as what it is.
      return event.payload.reason === "restated" ? kept : { ...kept, steps: retried(kept, event) };
    }
    case "tool_progress":
      return { ...summary, steps: progressed(summary.steps, event.payload) };
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
      const steps: Step[] = [...after, { kind: "resumed", seq, reason }];
      return { ...withoutText(summary, discard_after ?? seq), state: "running", steps };
    }
    case "unknown":
      return summary.state === "queued" ? { ...summary, state: "running" } : summary;
  }
}

/** Without what was said and reasoned after this seq. */
function withoutText(summary: Summary, after: number): Summary {
  const kept = (piece: Piece) => piece.seq <= after;
  return { ...summary, pieces: summary.pieces.filter(kept), reasoning: summary.reasoning.filter(kept) };
}

/** Retries between which nothing was that counts are one step. */
function retried({ steps, pieces, reasoning }: Summary, event: EventOf<"agent_retrying">): readonly Step[] {
  const { reason, delay_ms: delay } = event.payload;
  const last = steps.at(-1);
  const said = Math.max(pieces.at(-1)?.seq ?? 0, reasoning.at(-1)?.seq ?? 0);
  const before = last?.kind === "retrying" && last.seq > said ? last : undefined;
  const times = (before?.times ?? 0) + 1;
  const step: RetryStep = {
    kind: "retrying",
    seq: before?.seq ?? event.seq,
    times,
    reason,
    at: event.timestamp,
    delay,
  };
  return [...(before === undefined ? steps : steps.slice(0, -1)), step];
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

/** The texts between these steps, each joined and with the seq of its first piece; blank ones are left out. */
function between(steps: readonly Step[], pieces: readonly Piece[]): readonly Piece[] {
  const groups: Piece[][] = [];
  let next = 0;
  for (const piece of pieces) {
    const before = next;
    while ((steps[next]?.seq ?? Number.POSITIVE_INFINITY) < piece.seq) next += 1;
    if (next > before || groups.length === 0) groups.push([]);
    groups.at(-1)?.push(piece);
  }
  return groups
    .map((group) => ({ seq: group[0]?.seq ?? 0, text: joined(group) }))
    .filter(({ text }) => text.trim() !== "");
}

function joined(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}
