import { useLayoutEffect, useRef } from "preact/hooks";
import { inTurn, turnsBefore } from "../client";
import type { Session } from "./session";
import { Ending, RunTurn, SentTurn } from "./turn";

const EXAMPLES = [
  "What is 17 * 23?",
  "What time is it in Tokyo?",
  "Remember that my bike is green",
  "Forget the note about my bike",
  "Tell me a long story, slowly",
];

/** Distance from the end (px) within which the reader is taken to be following. */
const NEAR = 80;

export function Conversation({ session }: { session: Session }) {
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  const followed = useRef<string | undefined>(undefined);
  const { thread, threadId, unsettled } = session;
  const runs = threadId === undefined ? [] : inTurn(session.client.view, threadId);
  const history = thread === undefined ? [] : turnsBefore(thread);
  const more = runs.length > 0 || unsettled.length > 0;
  const empty = !more && history.length === 0;

  useLayoutEffect(() => {
    // Another thread is followed from its end.
    if (followed.current !== threadId) following.current = true;
    followed.current = threadId;
    if (box.current !== null && following.current) box.current.scrollTop = box.current.scrollHeight;
  });

  return (
    <section
      class="conversation"
      ref={box}
      aria-label="Conversation"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        following.current = scrollHeight - scrollTop - clientHeight < NEAR;
      }}
    >
      <div class="turns">
        {thread?.before !== undefined && (
          <button type="button" class="quiet older" onClick={() => void session.older()}>
            Show earlier messages
          </button>
        )}
        {history.map((message, index) => (
          <article key={`${message.run_id}-${message.role}`} class={`turn past ${message.role}`} data-testid="past">
            <h2 class="hidden">{message.role === "user" ? "You" : "Assistant"}</h2>
            <div class={message.role === "user" ? "bubble" : "answer"}>{message.text}</div>
            <Ending finish={message.finish} session={session} last={index === history.length - 1 && !more} />
          </article>
        ))}
        {runs.map((run, index) => (
          <RunTurn
            key={run.runId}
            run={run}
            session={session}
            last={index === runs.length - 1 && unsettled.length === 0}
          />
        ))}
        {unsettled.map((sent) => (
          <SentTurn key={sent.requestId} sent={sent} session={session} />
        ))}
        {empty && threadId === undefined && (
          <div class="welcome">
            <h2>What can I do for you, {session.user}?</h2>
            <div class="examples">
              {EXAMPLES.map((text) => (
                <button type="button" key={text} onClick={() => session.send(text)}>
                  {text}
                </button>
              ))}
            </div>
          </div>
        )}
        {session.gone && (
          <div class="welcome" role="status" data-testid="gone">
            <h2>This chat is gone</h2>
            <p>It was forgotten, here or on another of your devices.</p>
            <button type="button" onClick={() => session.open(undefined)}>
              Start a new chat
            </button>
          </div>
        )}
        {empty && threadId !== undefined && !session.gone && !session.problem && (
          <p class="none">{thread?.historyLoaded ? "Nothing has been said here." : "Loading…"}</p>
        )}
      </div>
    </section>
  );
}
