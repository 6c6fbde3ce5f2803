import type { Session } from "./session";

interface Props {
  session: Session;
  open: boolean;
  onClose: () => void;
  onLeave: () => void;
}

export function Sidebar({ session, open, onClose, onLeave }: Props) {
  const { list, listCursor } = session.client.view;
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
            <li key={item.thread_id}>
              <button
                type="button"
                data-testid="thread"
                data-thread={item.thread_id}
                aria-current={item.thread_id === session.threadId ? "true" : undefined}
                onClick={() => {
                  session.open(item.thread_id);
                  onClose();
                }}
              >
                <span class="name">{item.title || "Untitled chat"}</span>
                {item.active_run && <span class="live" role="img" aria-label="running" title="Running" />}
              </button>
            </li>
          ))}
          {list.length === 0 && <li class="none">No chats yet</li>}
          {listCursor !== undefined && (
            <li>
              <button type="button" onClick={() => void session.moreThreads()}>
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
      {open && <button type="button" class="shade" aria-label="Close the list of chats" onClick={onClose} />}
    </>
  );
}
