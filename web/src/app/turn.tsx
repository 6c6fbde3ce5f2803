import {
  answerOf,
  isOver,
  isSpeaking,
  linesOf,
  positionOf,
  type RunState,
  type RunView,
  type Sent,
  stateOf,
} from "../client";
import type { Session } from "./session";
import { Steps } from "./steps";
import { duration, whole } from "./text";
import { canGoOn, GO_ON, wordsFor, wordsForFinish } from "./words";

const LABELS: Record<RunState, string> = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting for approval",
  completed: "Done",
  failed: "Failed",
  cancelled: "Stopped",
};

/** One run: what the user said, what the agent did, what it answered, and how it stands. `last`: none came after it. */
export function RunTurn({ run, session, last }: { run: RunView; session: Session; last: boolean }) {
  const { summary } = run;
  const state = stateOf(run);
  const over = isOver(state);
  const stopping = session.stopping.has(run.runId) && !over;
  const position = positionOf(session.client.view, run);
  const answer = answerOf(summary);
  // The time that the log gives is that of the last engine alone.
  const resumed = summary.steps.some((step) => step.kind === "resumed");
  const speaking = isSpeaking(summary);
  const lines = linesOf(summary);
  const retrying = state === "running" && !speaking && (lines.at(-1)?.kind === "retrying" || run.phase === "retrying");
  const sent = Object.values(session.client.view.sent).find((other) => other.run?.runId === run.runId);
  const text = summary.text ?? sent?.text ?? "";
  return (
    <article class="turn" data-testid="run" data-run={run.runId} data-state={state} tabIndex={-1}>
      <h2 class="hidden">You</h2>
      <div class={`bubble ${state === "queued" ? "pending" : ""}`} data-testid="user-message">
        {text}
      </div>
      <h2 class="hidden">Assistant</h2>
      <Steps lines={lines} runId={run.runId} busy={state === "running" && !speaking} session={session} />
      <div
        class={`answer ${state === "running" ? "streaming" : ""}`}
        data-testid="answer"
        aria-live="polite"
        aria-busy={!over}
      >
        {summary.output === undefined ? answer : <pre data-testid="output">{whole(summary.output)}</pre>}
      </div>
      {over && <Ending finish={summary.finish} session={session} last={last} />}
      {summary.error && (
        <div class="failure" role="alert" data-testid="run-error">
          <span>
            {wordsFor(summary.error)} <code>{summary.error.code}</code>
          </span>
          {summary.error.retryable && (
            <button type="button" data-testid="try-again" onClick={() => session.send(text)}>
              Try again
            </button>
          )}
        </div>
      )}
      <footer class="state">
        <span class={`chip ${state}`} data-testid="run-state">
          {stopping ? "Stopping…" : retrying ? "Waiting for the model" : LABELS[state]}
        </span>
        {position !== undefined && <span data-testid="position">{placeOf(position)}</span>}
        {state === "queued" && (
          <button
            type="button"
            class="link"
            data-testid="cancel"
            disabled={stopping}
            onClick={() => void session.stop(run)}
          >
            Cancel
          </button>
        )}
        {summary.milliseconds !== undefined && !resumed && <span>{duration(summary.milliseconds)}</span>}
        {summary.agent && state !== "queued" && <span>{summary.agent}</span>}
      </footer>
    </article>
  );
}

/** That an answer is not whole, and why; where it was only cut off, a way to have the rest. */
export function Ending({ finish, session, last }: { finish: string | undefined; session: Session; last: boolean }) {
  const words = wordsForFinish(finish);
  if (words === undefined) return null;
  return (
    <div class="ending" role="note" data-testid="ending" data-finish={finish}>
      <span>{words}</span>
      {last && canGoOn(finish) && (
        <button type="button" data-testid="go-on" onClick={() => session.send(GO_ON)}>
          Go on
        </button>
      )}
    </div>
  );
}

function placeOf(position: number): string {
  return position === 1 ? "next" : `number ${position}`;
}

/** A message that has no run yet: on its way, or refused. */
export function SentTurn({ sent, session }: { sent: Sent; session: Session }) {
  return (
    <article class="turn" data-testid="sent" data-state={sent.error ? "refused" : "sending"}>
      <h2 class="hidden">You</h2>
      <div class="bubble pending">{sent.text}</div>
      {sent.error ? (
        <div class="failure" role="alert" data-testid="refused">
          <span>
            {wordsFor(sent.error)} <code>{sent.error.code}</code>
          </span>
          <span class="buttons">
            <button type="button" onClick={() => session.again(sent)}>
              Try again
            </button>
            <button type="button" class="quiet" onClick={() => session.client.withdraw(sent.requestId)}>
              Remove
            </button>
          </span>
        </div>
      ) : (
        <footer class="state">
          <span class="chip queued">{session.connection.name === "online" ? "Sending…" : "Waiting to be sent"}</span>
        </footer>
      )}
    </article>
  );
}
