import { useRef, useState } from "preact/hooks";
import type { ThreadItem } from "../client";
import { ForgetDialog } from "./forget";
import type { Session } from "./session";
import { Thread } from "./thread";

interface Props {
  session: Session;
  open: boolean;
  onClose: () => void;
  onLeave: () => void;
}

export function Sidebar({ session, open, onClose, onLeave }: Props) {
  const { list, listCursor } = session.client.view;
  const fresh = useRef<HTMLButtonElement>(null);
  const [forgetting, setForgetting] = useState<ThreadItem>();
  return (
    <>
      <nav class={`sidebar ${open ? "open" : ""}`} aria-label="Chats">
        <div class="brand">
          <img src="./dayfly.svg" alt="" width="28" height="28" />
          <span>Dayfly</span>
        </div>
        <button
          type="button"
          class="new"
          ref={fresh}
          data-testid="new-chat"
          onClick={() => {
            session.open(undefined);
            onClose();
          }}
        >
          <span aria-hidden="true">+</span> New chat
        </button>
        <ul class="threads" data-testid="threads">
          {list.map((item) => (
            <Thread
              key={item.thread_id}
              item={item}
              session={session}
              onOpen={() => {
                session.open(item.thread_id);
                onClose();
              }}
              onForget={() => setForgetting(item)}
            />
          ))}
          {list.length === 0 && <li class="none">No chats yet</li>}
          {listCursor !== undefined && (
            <li>
              <button type="button" class="open" onClick={() => void session.moreThreads()}>
                Show more
              </button>
            </li>
          )}
        </ul>
        <div class="who">
          <span class="name" data-testid="current-user">
            {session.user}
          </span>
          <button type="button" class="quiet" onClick={onLeave}>
            Switch user
          </button>
        </div>
      </nav>
      {forgetting && (
        <ForgetDialog
          item={forgetting}
          onEnd={(forget) => {
            setForgetting(undefined);
            if (!forget) return;
            void session.forget(forgetting.thread_id);
            // What had the focus before goes away with the thread.
            fresh.current?.focus();
          }}
        />
      )}
      {open && <button type="button" class="shade" aria-label="Close the list of chats" onClick={onClose} />}
    </>
  );
}
