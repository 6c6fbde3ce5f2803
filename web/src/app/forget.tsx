import { useEffect, useRef } from "preact/hooks";
import type { ThreadItem } from "../client";

interface Props {
  readonly item: ThreadItem;
  readonly onEnd: (forget: boolean) => void;
}

/** Asks before a thread is deleted. Escape and Cancel leave it; the browser gives the focus back. */
export function ForgetDialog({ item, onEnd }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const open = useRef(true);
  useEffect(() => box.current?.showModal(), []);
  const end = (forget: boolean) => {
    // The event of closing comes later, when another dialog may be there.
    if (!open.current) return;
    open.current = false;
    box.current?.close();
    onEnd(forget);
  };
  return (
    <dialog
      ref={box}
      class="dialog"
      aria-labelledby="forget-title"
      data-testid="forget-dialog"
      onClose={() => end(false)}
    >
      <h2 id="forget-title">Forget this chat?</h2>
      <p>
        “{item.title || "Untitled chat"}” and all that was said in it is deleted, on all of your devices. What is still
        being answered in it is stopped. This cannot be undone.
      </p>
      <div class="row">
        <button type="button" onClick={() => end(false)}>
          Cancel
        </button>
        <button type="button" class="stop" data-testid="confirm-forget" onClick={() => end(true)}>
          Forget
        </button>
      </div>
    </dialog>
  );
}
