import { answerOf, isOver, type RunState, type RunView, type Sent, stateOf } from "../client";
import type { Session } from "./session";
import { Steps } from "./steps";
import { duration } from "./text";

const LABELS: Record<RunState, string> = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting for approval",
  completed: "Done",
  failed: "Failed",
  cancelled: "Stopped",
};

/** One run: what the user said, what the agent did, what it answered, and how it stands. */
export function RunTurn({ run, session }: { run: RunView; session: Session }) {
  const { summary } = run;
  const state = stateOf(run);
  const over = isOver(state);
  const stopping = session.stopping === run.runId;
  const answer = answerOf(summary);
  const speaking = (summary.pieces.at(-1)?.seq ?? 0) > (summary.steps.at(-1)?.seq ?? 0);
  const sent = Object.values(session.client.view.sent).find((other) => other.run?.runId === run.runId);
  const text = summary.text ?? sent?.text ?? "";
  return (
    <article class="turn" data-testid="run" data-run={run.runId} data-state={state}>
      <h2 class="hidden">You</h2>
      <div class="bubble" data-testid="user-message">
        {text}
      </div>
      <h2 class="hidden">Assistant</h2>
      <Steps steps={summary.steps} over={over} speaking={speaking} />
      <div class={`answer ${over ? "" : "streaming"}`} data-testid="answer" aria-live="polite" aria-busy={!over}>
        {answer}
      </div>
      {summary.error && (
        <div class="failure" role="alert" data-testid="run-error">
          <span>
            {summary.error.message} <code>{summary.error.code}</code>
          </span>
          {summary.error.retryable && session.active === undefined && (
            <button type="button" onClick={() => session.send(text)}>
              Ask again
            </button>
          )}
        </div>
      )}
      <footer class="state">
        <span class={`chip ${state}`} data-testid="run-state">
          {stopping && !over ? "Stopping…" : LABELS[state]}
        </span>
        {state === "queued" && run.position !== undefined && <span>place {run.position}</span>}
        {summary.milliseconds !== undefined && <span>{duration(summary.milliseconds)}</span>}
        {summary.agent && <span>{summary.agent}</span>}
      </footer>
    </article>
  );
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
            {sent.error.message} <code>{sent.error.code}</code>
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
