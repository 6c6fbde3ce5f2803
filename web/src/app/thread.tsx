import { useEffect, useRef, useState } from "preact/hooks";
import type { ThreadItem } from "../client";
import type { Session } from "./session";

const TITLE_CHARS = 200;

interface Props {
  readonly item: ThreadItem;
  readonly session: Session;
  readonly onOpen: () => void;
  readonly onForget: () => void;
}

/** One thread of the list: it opens, is renamed in its place (F2), and is forgotten (Delete). */
export function Thread({ item, session, onOpen, onForget }: Props) {
  const [editing, setEditing] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const title = item.title || "Untitled chat";
  if (editing) {
    const done = (renamed: string | undefined, byKey: boolean) => {
      setEditing(false);
      if (renamed !== undefined && renamed !== item.title) void session.rename(item.thread_id, renamed);
      if (byKey) requestAnimationFrame(() => button.current?.focus());
    };
    return <TitleField title={item.title} onDone={done} />;
  }
  const running = item.active_run ? `Running${item.queue.length > 0 ? `, ${item.queue.length} waiting` : ""}` : "";
  return (
    <li class="thread">
      <button
        type="button"
        class="open"
        ref={button}
        data-testid="thread"
        data-thread={item.thread_id}
        aria-current={item.thread_id === session.threadId ? "true" : undefined}
        aria-keyshortcuts="F2 Delete"
        onClick={onOpen}
        onKeyDown={(event) => {
          if (event.key === "F2") setEditing(true);
          else if (event.key === "Delete") onForget();
          else return;
          event.preventDefault();
        }}
      >
        <span class="name">{title}</span>
        {running && <span class="live" role="img" aria-label={running} title={running} />}
      </button>
      <span class="actions">
        <button
          type="button"
          class="quiet"
          data-testid="rename"
          title="Rename (F2)"
          aria-label={`Rename ${title}`}
          onClick={() => setEditing(true)}
        >
          ✎
        </button>
        <button
          type="button"
          class="quiet"
          data-testid="forget"
          title="Forget (Delete)"
          aria-label={`Forget ${title}`}
          onClick={onForget}
        >
          ✕
        </button>
      </span>
    </li>
  );
}

/** Enter and leaving take the title, Escape leaves it as it was. */
function TitleField({ title, onDone }: { title: string; onDone: (title: string | undefined, byKey: boolean) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const open = useRef(true);
  useEffect(() => field.current?.select(), []);
  const end = (renamed: string | undefined, byKey: boolean) => {
    // Taking the field away is leaving it, too.
    if (!open.current) return;
    open.current = false;
    onDone(renamed?.trim() || undefined, byKey);
  };
  return (
    <li class="thread">
      <input
        ref={field}
        data-testid="title"
        aria-label="Title"
        defaultValue={title}
        maxLength={TITLE_CHARS}
        autocomplete="off"
        onBlur={(event) => end(event.currentTarget.value, false)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === "Enter") end(event.currentTarget.value, true);
          else if (event.key === "Escape") end(undefined, true);
        }}
      />
    </li>
  );
}
