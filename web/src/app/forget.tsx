import { useEffect, useRef } from "preact/hooks";
import type { ThreadItem } from "../client";

/** Asks before a thread is deleted. Escape and Cancel leave it; the browser gives the focus back. */
export function ForgetDialog({
  item,
  onForget,
  onClose,
}: {
  item: ThreadItem;
  onForget: () => void;
  onClose: (forgotten: boolean) => void;
}) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog
      ref={box}
      class="dialog"
      aria-labelledby="forget-title"
      data-testid="forget-dialog"
      onClose={() => onClose(box.current?.returnValue === "forget")}
    >
      <h2 id="forget-title">Forget this chat?</h2>
      <p>
        “{item.title || "Untitled chat"}” and all that was said in it is deleted, on all of your devices. What is still
        being answered in it is stopped. This cannot be undone.
      </p>
      <div class="row">
        <button type="button" onClick={() => box.current?.close()}>
          Cancel
        </button>
        <button
          type="button"
          class="stop"
          data-testid="confirm-forget"
          onClick={() => {
            onForget();
            box.current?.close("forget");
          }}
        >
          Forget
        </button>
      </div>
    </dialog>
  );
}
