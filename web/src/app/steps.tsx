import { isOpen, type linesOf, type ToolStep } from "../client";
import { ApprovalCard } from "./approval";
import type { Session } from "./session";
import { brief, duration, whole } from "./text";
import { wordsForResumed } from "./words";

type Line = ReturnType<typeof linesOf>[number];

interface Props {
  readonly lines: readonly Line[];
  readonly runId: string;
  /** Something is being done and nothing is being said: the last line is at work. */
  readonly busy: boolean;
  readonly session: Session;
}

/** What the agent does, a line a step; a tool's line opens to show its parameters and result whole. */
export function Steps({ lines, runId, busy, session }: Props) {
  if (lines.length === 0) return null;
  const open = lines.filter(isOpenLine).length;
  return (
    <ol class="steps" data-testid="steps" aria-label="Steps">
      {lines.map((line, index) => (
        <li key={line.seq} data-testid="step" data-kind={line.kind}>
          {isOpenLine(line) ? (
            <ApprovalCard step={line} runId={runId} others={open > 1} session={session} />
          ) : (
            <Step line={line} busy={busy && index === lines.length - 1} />
          )}
        </li>
      ))}
    </ol>
  );
}

function isOpenLine(line: Line): line is ToolStep {
  return line.kind === "tool" && isOpen(line);
}

function Step({ line, busy }: { line: Line; busy: boolean }) {
  switch (line.kind) {
    case "tool":
      return <Tool step={line} />;
    case "said":
      return <p class="said">{line.text.trim()}</p>;
    case "thinking":
      return (
        <div class="line">
          <span class={`mark thinking ${busy ? "busy" : ""}`} aria-hidden="true" />
          <span class="note">{line.text || "Thinking"}</span>
          {line.progress !== undefined && busy && <span class="time">{Math.round(line.progress)} %</span>}
        </div>
      );
    case "resumed":
      return (
        <div class="line resumed">
          <span class={`mark ${busy ? "busy" : ""}`} aria-hidden="true">
            ↻
          </span>
          <span class="note">{wordsForResumed(line.reason)}</span>
        </div>
      );
  }
}

const MARKS = { executing: "", waiting: "?", ok: "✓", error: "!", denied: "✕", stopped: "–" } as const;
const OUTCOMES = {
  executing: "running",
  waiting: "waiting",
  ok: "done",
  error: "failed",
  denied: "denied",
  stopped: "stopped",
} as const;
/** What became of the approval, where the outcome does not say it. */
const APPROVALS = {
  open: "",
  answered: "answered",
  approved: "approved",
  denied: "denied",
  expired: "not answered in time",
  closed: "not answered",
} as const;

function Tool({ step }: { step: ToolStep }) {
  const running = step.status === "executing";
  return (
    <details data-status={step.status} data-approval={step.approval?.state}>
      <summary class="line">
        <span class={`mark ${step.status} ${running ? "busy" : ""}`} aria-hidden="true">
          {MARKS[step.status]}
        </span>
        <span class="hidden">{OUTCOMES[step.status]}</span>
        <span class="call">
          <b>{step.name}</b> <span class="parameters">{brief(step.parameters)}</span>
          {step.result !== undefined && <span class="result"> → {brief(step.result)}</span>}
        </span>
        {step.approval && <span class="approval-state">{APPROVALS[step.approval.state]}</span>}
        {step.milliseconds !== undefined && step.status !== "denied" && (
          <span class="time">{duration(step.milliseconds)}</span>
        )}
      </summary>
      <dl>
        <dt>Parameters</dt>
        <dd>
          <pre>{whole(step.parameters ?? {})}</pre>
        </dd>
        {step.result !== undefined && (
          <>
            <dt>Result</dt>
            <dd>
              <pre>{whole(step.result)}</pre>
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}
