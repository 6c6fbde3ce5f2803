import { useEffect, useId, useState } from "preact/hooks";
import { type FileReference, isOpen, type Line, type RetryStep, type ToolStep } from "../client";
import { ApprovalCard } from "./approval";
import type { Session } from "./session";
import { brief, duration, safeLink, size, whole } from "./text";
import { wordsForResumed, wordsForRetry } from "./words";

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
    case "reasoning":
      return <Reasoning text={line.text} busy={busy} />;
    case "retrying":
      return <Retry step={line} busy={busy} />;
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

/** What the model reasoned: open while it comes, then closed, unless the reader has said otherwise. */
function Reasoning({ text, busy }: { text: string; busy: boolean }) {
  const [chosen, setChosen] = useState<boolean>();
  const id = useId();
  const open = chosen ?? busy;
  return (
    <div class="reasoning" data-testid="reasoning" data-open={open}>
      <button
        type="button"
        class="line quiet"
        data-testid="reasoning-toggle"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setChosen(!open)}
      >
        <span class={`mark fold ${busy ? "busy" : ""}`} aria-hidden="true">
          {open ? "▾" : "▸"}
        </span>
        <span class="note">{busy ? "Reasoning…" : "Reasoning"}</span>
      </button>
      {/* Not announced as it comes: a reader would be talked at for minutes, over the answer. */}
      <section id={id} class="thoughts" aria-label="What the model reasoned" aria-busy={busy} hidden={!open}>
        {text}
      </section>
    </div>
  );
}

/** While it is waited for: why, and how long yet. Afterwards: that it was. Nothing is asked again where text was only shown
 * as what it is. */
function Retry({ step, busy: runs }: { step: RetryStep; busy: boolean }) {
  const restated = step.reason === "restated";
  const busy = runs && !restated;
  const times = step.times === 1 ? "once" : `${step.times} times`;
  return (
    <div class="line retrying" data-testid="retry" data-busy={busy}>
      <span class={`mark ${busy ? "busy" : ""}`} aria-hidden="true">
        ↻
      </span>
      {busy ? (
        <span class="note" role="status">
          {wordsForRetry(step.reason)}. <Countdown key={`${step.times}`} at={step.at} delay={step.delay} />
        </span>
      ) : (
        <span class="note">
          {wordsForRetry(step.reason)}
          {restated ? "" : `: asked again ${times}`}
        </span>
      )}
      {busy && step.times > 1 && <span class="time">{step.times}.</span>}
    </div>
  );
}

/** The seconds that are left of `delay`, which began `at` by the server's clock, if that and this device's agree. */
function Countdown({ at, delay }: { at: string; delay: number }) {
  const [begun] = useState(() => {
    const passed = Date.now() - new Date(at).getTime();
    return performance.now() - (passed > 0 && passed < delay ? passed : 0);
  });
  const [now, setNow] = useState(begun);
  const left = Math.ceil((begun + delay - now) / 1_000);
  useEffect(() => {
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return <span aria-hidden="true">{left > 0 ? `Trying again in ${left} s…` : "Trying again…"}</span>;
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
    <>
      <Call step={step} running={running} />
      {step.files.length > 0 && <Files files={step.files} />}
    </>
  );
}

/** They stand beside the call, not folded away in it: they are what was made. */
function Files({ files }: { files: readonly FileReference[] }) {
  return (
    <ul class="files" data-testid="files" aria-label="Files">
      {files.map((file, index) => {
        const link = safeLink(file.url);
        return (
          <li key={`${index} ${file.name}`}>
            {link === undefined ? (
              <span>{file.name}</span>
            ) : (
              <a href={link} target="_blank" rel="noopener noreferrer">
                {file.name}
              </a>
            )}
            <span class="time">
              {file.media_type}
              {file.bytes !== undefined && `, ${size(file.bytes)}`}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Call({ step, running }: { step: ToolStep; running: boolean }) {
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
        {step.progress !== undefined && (
          <span class="progress" role="status" data-testid="progress">
            {step.progress}
          </span>
        )}
        {step.approval && <span class="approval-state">{APPROVALS[step.approval.state]}</span>}
        {step.milliseconds !== undefined && step.status !== "denied" && (
          <span class="time">{duration(step.milliseconds)}</span>
        )}
      </summary>
      <dl>
        {step.parameters !== undefined && (
          <>
            <dt>Parameters</dt>
            <dd>
              <pre>{whole(step.parameters)}</pre>
            </dd>
          </>
        )}
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
