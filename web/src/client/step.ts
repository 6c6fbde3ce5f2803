/** The steps of a run, as a reader is shown them. */
import type { FileReference } from "./protocol";

/**
 * Where a call's approval stands. `answered`: a fresh engine goes on because the user answered, and what the answer was
 * is told by what becomes of the call. `closed`: the run ended first.
 */
export type ApprovalState = "open" | "answered" | "approved" | "denied" | "expired" | "closed";

export interface ToolStep {
  readonly kind: "tool";
  /** Where the call was first told of. */
  readonly seq: number;
  readonly callId: string;
  readonly name: string;
  readonly parameters: unknown;
  /** `stopped`: the run ended before the call did. */
  readonly status: "waiting" | "executing" | "ok" | "error" | "denied" | "stopped";
  /** Only where the call needed one. */
  readonly approval: { readonly state: ApprovalState; readonly expiresAt: string } | undefined;
  /** How far the tool last said that it is; only while it runs. */
  readonly progress: string | undefined;
  readonly result: unknown;
  /** What belongs to the result. */
  readonly files: readonly FileReference[];
  readonly milliseconds: number | undefined;
}

/** The model's request failed and is made again: once, or several times with nothing that counts in between. */
export interface RetryStep {
  readonly kind: "retrying";
  /** Where the first of them was told. */
  readonly seq: number;
  readonly times: number;
  /** Why the last of them was needed, when it was told (RFC 3339), and how long it waits (ms). */
  readonly reason: string;
  readonly at: string;
  readonly delay: number;
}

export type Step =
  | { readonly kind: "thinking"; readonly seq: number; readonly text: string; readonly progress: number | undefined }
  | ToolStep
  | RetryStep
  | { readonly kind: "resumed"; readonly seq: number; readonly reason: string };
