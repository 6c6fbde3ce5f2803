import type { Step } from "../client";
import { brief, duration, whole } from "./text";

/** What the agent does, a line a step; a tool's line opens to show its parameters and result whole. */
export function Steps({ steps, over, speaking }: { steps: readonly Step[]; over: boolean; speaking: boolean }) {
  if (steps.length === 0) return null;
  return (
    <ol class="steps" data-testid="steps" aria-label="Steps">
      {steps.map((step, index) => (
        <li key={step.seq} data-testid="step" data-kind={step.kind}>
          <Line step={step} over={over} thinking={!over && !speaking && index === steps.length - 1} />
        </li>
      ))}
    </ol>
  );
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

function Line({ step, over, thinking }: { step: Step; over: boolean; thinking: boolean }) {
  if (step.kind === "thinking") {
    return (
      <div class="line">
        <span class={`mark thinking ${thinking ? "busy" : ""}`} aria-hidden="true" />
        <span class="note">{step.text || "Thinking"}</span>
        {step.progress !== undefined && thinking && <span class="time">{Math.round(step.progress)} %</span>}
      </div>
    );
  }
  if (step.kind === "resumed") {
    return (
      <div class="line">
        <span class="mark" aria-hidden="true">
          ↻
        </span>
        <span class="note">Resumed by a fresh engine ({step.reason.replaceAll("_", " ")})</span>
      </div>
    );
  }
  const running = step.status === "executing" && !over;
  return (
    <details data-status={step.status}>
      <summary class="line">
        <span class={`mark ${step.status} ${running ? "busy" : ""}`} aria-hidden="true">
          {MARKS[step.status]}
        </span>
        <span class="hidden">{OUTCOMES[step.status]}</span>
        <span class="call">
          <b>{step.name}</b> <span class="parameters">{brief(step.parameters)}</span>
          {step.result !== undefined && <span class="result"> → {brief(step.result)}</span>}
        </span>
        {step.milliseconds !== undefined && <span class="time">{duration(step.milliseconds)}</span>}
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
