import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";
import { Composer } from "./composer";
import { Connection } from "./connection";
import { Conversation } from "./conversation";
import { EventLog } from "./eventlog";
import { Login } from "./login";
import { Session } from "./session";
import { Sidebar } from "./sidebar";
import { wordsFor } from "./words";

const USER_KEY = "dayfly.user";

/** The user of this tab: from the address, else as chosen before. */
function firstUser(): string | undefined {
  return new URLSearchParams(location.search).get("user") ?? sessionStorage.getItem(USER_KEY) ?? undefined;
}

function threadInAddress(): string | undefined {
  return /^#\/t\/([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1];
}

export function App() {
  const [user, setUser] = useState(firstUser);
  const choose = (name: string | undefined) => {
    if (name === undefined) {
      sessionStorage.removeItem(USER_KEY);
      history.replaceState(null, "", location.pathname);
    } else sessionStorage.setItem(USER_KEY, name);
    setUser(name);
  };
  if (user === undefined) return <Login onChoose={choose} />;
  return <Chat key={user} user={user} onLeave={() => choose(undefined)} />;
}

function useSession(user: string): Session {
  const [session] = useState(() => new Session(user, threadInAddress()));
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const stop = session.subscribe(() => render(undefined));
    const hurry = () => session.client.hurry();
    const follow = () => {
      if (threadInAddress() !== session.threadId) session.open(threadInAddress());
    };
    session.start();
    addEventListener("online", hurry);
    addEventListener("hashchange", follow);
    return () => {
      removeEventListener("online", hurry);
      removeEventListener("hashchange", follow);
      stop();
      session.end();
    };
  }, [session]);
  return session;
}

function Chat({ user, onLeave }: { user: string; onLeave: () => void }) {
  const session = useSession(user);
  const [menu, setMenu] = useState(false);
  const [log, setLog] = useState(false);
  const { threadId } = session;

  // Before the next paint, so that a reload right after a click comes back to what was clicked.
  useLayoutEffect(() => {
    const hash = threadId === undefined ? "" : `#/t/${threadId}`;
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
    setMenu(false);
  }, [threadId]);

  const title = session.client.view.list.find((item) => item.thread_id === threadId)?.title;
  return (
    <div class={`chat ${log ? "with-log" : ""}`}>
      <Sidebar session={session} open={menu} onClose={() => setMenu(false)} onLeave={onLeave} />
      <main class="main">
        <header class="bar">
          <button type="button" class="quiet menu-button" aria-expanded={menu} onClick={() => setMenu(!menu)}>
            <span aria-hidden="true">☰</span>
            <span class="hidden">Chats</span>
          </button>
          <h1 class="title">{threadId === undefined ? "New chat" : title || "Chat"}</h1>
          <Connection session={session} />
          <button
            type="button"
            class="quiet"
            aria-expanded={log}
            aria-controls="event-log"
            data-testid="event-log-toggle"
            onClick={() => setLog(!log)}
          >
            Event log
          </button>
        </header>
        <Conversation session={session} />
        {session.problem && (
          <div class="problem" role="alert" data-testid="problem">
            <span>
              {wordsFor(session.problem)} <code>{session.problem.code}</code>
            </span>
            <button type="button" class="quiet" onClick={() => session.dismiss()}>
              Dismiss
            </button>
          </div>
        )}
        {!session.gone && <Composer session={session} />}
      </main>
      {log && <EventLog entries={session.log} onClose={() => setLog(false)} />}
    </div>
  );
}
