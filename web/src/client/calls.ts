/** Tool calls as a run's events tell of them: asked for, allowed or not, executed, done. One step a call. */
import type { FileReference } from "./protocol";
import type { Step, ToolStep } from "./step";

interface Call {
  readonly tool_name: string;
  readonly tool_call_id: string;
  readonly parameters?: unknown;
}

interface Outcome extends Call {
  readonly status: "ok" | "error" | "denied";
  readonly result?: unknown;
  readonly files?: readonly FileReference[] | undefined;
  readonly execution_time_ms?: number | null | undefined;
}

export function requested(steps: readonly Step[], seq: number, call: Call & { readonly expires_at: string }) {
  return changed(steps, seq, call, { status: "waiting", approval: { state: "open", expiresAt: call.expires_at } });
}

/** A call that was cut off with its engine may be executed again: it stays one step. */
export function executing(steps: readonly Step[], seq: number, call: Call): readonly Step[] {
  return changed(steps, seq, call, { status: "executing", progress: undefined }, "approved");
}

/** A running call says how far it is: in the place of what it said before. */
export function progressed(steps: readonly Step[], call: Pick<Call, "tool_call_id"> & { readonly message: string }) {
  const at = steps.findLastIndex((step) => step.kind === "tool" && step.callId === call.tool_call_id);
  const step = steps[at];
  if (step?.kind !== "tool" || step.status !== "executing") return steps;
  return steps.with(at, { ...step, progress: call.message });
}

export function completed(steps: readonly Step[], seq: number, outcome: Outcome): readonly Step[] {
  const { status, result, files = [], execution_time_ms } = outcome;
  const approval = status === "denied" ? "denied" : "approved";
  const done = { status, result, files, milliseconds: execution_time_ms ?? undefined, progress: undefined };
  return changed(steps, seq, outcome, done, approval);
}

/** The wait is over: all calls were answered, or those that were not have expired. */
export function settled(steps: readonly Step[], state: "answered" | "expired"): readonly Step[] {
  return steps.map((step) => (isOpen(step) ? { ...step, approval: { ...step.approval, state } } : step));
}

/** The run has ended, and with it whatever call had not. */
export function stopped(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (step.kind !== "tool" || !isUnfinished(step)) return step;
    const open = step.approval?.state === "open" || step.approval?.state === "answered";
    const approval = step.approval && open ? { ...step.approval, state: "closed" as const } : step.approval;
    return { ...step, status: "stopped", approval, progress: undefined };
  });
}

/** True while the call waits for its user's answer. */
export function isOpen(step: Step): step is ToolStep & { readonly approval: NonNullable<ToolStep["approval"]> } {
  return step.kind === "tool" && step.approval?.state === "open";
}

/** What calls say of the run: it waits when there is nothing left to do but to be answered. */
export function stateBy(steps: readonly Step[]): "running" | "waiting" {
  const busy = steps.some((step) => step.kind === "tool" && step.status === "executing");
  return !busy && steps.some(isOpen) ? "waiting" : "running";
}

function isUnfinished(step: ToolStep): boolean {
  return step.status === "waiting" || step.status === "executing";
}

const UNTOLD = {
  status: "waiting",
  approval: undefined,
  progress: undefined,
  result: undefined,
  files: [],
  milliseconds: undefined,
} as const;

function changed(
  steps: readonly Step[],
  seq: number,
  call: Call,
  change: Partial<ToolStep>,
  answer?: "approved" | "denied",
): readonly Step[] {
  // A model may use an id again for a later call; the one meant is the last that is not done.
  const at = steps.findLastIndex(
    (step) => step.kind === "tool" && step.callId === call.tool_call_id && isUnfinished(step),
  );
  const known = steps[at] as ToolStep | undefined;
  const step: ToolStep = {
    ...(known ?? { ...UNTOLD, seq }),
    kind: "tool",
    callId: call.tool_call_id,
    name: call.tool_name,
    parameters: call.parameters ?? known?.parameters,
    ...change,
  };
  const done = answer === undefined ? step : { ...step, approval: answered(step.approval, answer) };
  return known === undefined ? [...steps, done] : steps.with(at, done);
}

function answered(approval: ToolStep["approval"], answer: "approved" | "denied"): ToolStep["approval"] {
  // A call that nobody answered in time counts as denied.
  if (approval === undefined || (answer === "denied" && approval.state === "expired")) return approval;
  return { ...approval, state: answer };
}
