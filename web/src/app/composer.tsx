import { useEffect, useRef, useState } from "preact/hooks";
import { type IfBusy, MAX_TEXT_BYTES, textBytes } from "../client";
import type { Session } from "./session";

/** Bytes from which on the counter is shown. */
const NEAR = MAX_TEXT_BYTES * 0.8;

export function Composer({ session }: { session: Session }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const active = session.active;
  const sending = session.unsettled.some((sent) => sent.error === undefined);
  const bytes = textBytes(text);
  const tooLong = bytes > MAX_TEXT_BYTES;
  const ready = text.trim() !== "" && !tooLong && !sending;

  // Opening another thread is asking to write in it.
  useEffect(() => field.current?.focus(), [session.threadId]);

  const send = (ifBusy?: IfBusy) => {
    if (!ready) return;
    session.send(text, active === undefined ? undefined : ifBusy);
    setText("");
    field.current?.focus();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="field">
        <label class="hidden" for="message">
          Message
        </label>
        <textarea
          id="message"
          data-testid="message"
          ref={field}
          rows={1}
          placeholder="Write a message"
          aria-describedby="composer-hint"
          aria-invalid={tooLong}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // While an input method composes, Enter takes its suggestion.
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send(event.ctrlKey || event.metaKey ? "interrupt" : undefined);
          }}
        />
        <span class="buttons">
          {active !== undefined && (
            <button
              type="button"
              class="stop"
              data-testid="stop"
              disabled={session.stopping.has(active.runId)}
              onClick={() => void session.stop(active)}
            >
              Stop
            </button>
          )}
          {active !== undefined && text.trim() !== "" && (
            <button
              type="button"
              data-testid="interrupt"
              title="Stop the present answer and send this now (Ctrl + Enter)"
              disabled={!ready}
              onClick={() => send("interrupt")}
            >
              Interrupt
            </button>
          )}
          <button type="submit" class="primary" data-testid="send" disabled={!ready}>
            {active === undefined ? "Send" : "Queue"}
          </button>
        </span>
      </div>
      <p id="composer-hint" class="hint">
        <span class="keys">
          {active === undefined
            ? "Enter sends, Shift + Enter starts a new line"
            : "Enter queues, Ctrl + Enter interrupts, Shift + Enter starts a new line"}
        </span>
        {bytes > NEAR && (
          <span class={tooLong ? "over" : ""} role="status" data-testid="bytes">
            {bytes.toLocaleString("en")} of {MAX_TEXT_BYTES.toLocaleString("en")} bytes
          </span>
        )}
      </p>
    </form>
  );
}
