/** The steps of a run, as a reader is shown them. */

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
  readonly result: unknown;
  readonly milliseconds: number | undefined;
}

export type Step =
  | { readonly kind: "thinking"; readonly seq: number; readonly text: string; readonly progress: number | undefined }
  | ToolStep
  | { readonly kind: "resumed"; readonly seq: number; readonly reason: string };
