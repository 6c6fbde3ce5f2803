import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Answer, callKey, type ToolStep } from "../client";
import type { Session } from "./session";
import { duration, whole } from "./text";

const REASON_CHARS = 1_000;

interface Props {
  readonly step: ToolStep;
  readonly runId: string;
  /** Other calls of the run wait as well. */
  readonly others: boolean;
  readonly session: Session;
}

/** A call that waits for its user: what would be called, and the two answers. */
export function ApprovalCard({ step, runId, others, session }: Props) {
  const [reason, setReason] = useState("");
  const answer = session.client.view.answers[callKey(runId, step.callId)];
  const id = `approval-${runId}-${step.seq}`;
  const give = (approved: boolean) => (event: { currentTarget: HTMLElement }) => {
    // The buttons go away with the answer; whoever used the keyboard stays in the turn.
    event.currentTarget.closest("article")?.focus();
    void session.answer(runId, step.callId, approved, reason);
  };
  return (
    <fieldset class="approval" data-testid="approval" data-call={step.callId} aria-describedby={`${id}-parameters`}>
      <legend>
        <span role="alert">
          May <b>{step.name}</b> be used?
        </span>
      </legend>
      <Parameters id={`${id}-parameters`} value={step.parameters} />
      {step.approval && answer === undefined && <Expiry at={step.approval.expiresAt} />}
      {answer === undefined ? (
        <div class="answers">
          <label class="hidden" for={`${id}-reason`}>
            Reason, told to the assistant
          </label>
          <input
            id={`${id}-reason`}
            data-testid="reason"
            placeholder="Reason (optional)"
            maxLength={REASON_CHARS}
            autocomplete="off"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
          <span class="buttons">
            <button type="button" data-testid="deny" onClick={give(false)}>
              Deny
            </button>
            <button type="button" class="primary" data-testid="approve" onClick={give(true)}>
              Approve
            </button>
          </span>
        </div>
      ) : (
        <p class="given" role="status" data-testid="answer-given">
          {wordsForAnswer(answer, others)}
        </p>
      )}
    </fieldset>
  );
}

function wordsForAnswer({ approved, state }: Answer, others: boolean): string {
  if (state === "closed") return "This was answered on another device before, or its time was over.";
  const given = approved ? "Approved." : "Denied.";
  if (state === "sending") return `${given} Telling the server…`;
  return others ? `${given} The run goes on when all is answered.` : given;
}

function Parameters({ id, value }: { id: string; value: unknown }) {
  const fields = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (fields.length === 0) return <p id={id}>Without parameters.</p>;
  return (
    <dl id={id}>
      {fields.map(([name, field]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <pre>{whole(field)}</pre>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** The time that is left, by this device's clock: a hint, for the server decides by its own. */
function Expiry({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const end = new Date(at);
  const left = end.getTime() - now;
  if (Number.isNaN(left)) return null;
  return (
    <p class="expiry">
      {left > 0 ? "Counts as denied in " : "Its time is over, by this device's clock: "}
      <time dateTime={at} title={end.toLocaleString()}>
        {left > 0 ? duration(Math.ceil(left / 1_000) * 1_000) : end.toLocaleTimeString()}
      </time>
    </p>
  );
}
