import { useLayoutEffect, useRef } from "preact/hooks";
import type { Entry } from "./log";
import { whole } from "./text";

/** The frames of this connection in the order in which they arrived. */
export function EventLog({ entries, onClose }: { entries: readonly Entry[]; onClose: () => void }) {
  const box = useRef<HTMLOListElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    if (box.current !== null && following.current) box.current.scrollTop = box.current.scrollHeight;
  });
  return (
    <aside class="log" id="event-log" aria-label="Event log">
      <header class="bar">
        <h2>Event log</h2>
        <button type="button" class="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <ol
        ref={box}
        data-testid="event-log"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          following.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {entries.map((entry) => (
          <li key={entry.number} data-event={entry.type} data-run={entry.runId} data-seq={entry.seq}>
            <details>
              <summary>
                <time dateTime={entry.at.toISOString()}>{entry.at.toISOString().slice(11, 23)}</time>
                <span class="type">{entry.type}</span>
                {entry.times > 1 && <span class="times">×{entry.times}</span>}
                {entry.seq !== undefined && <span class="seq">#{entry.seq}</span>}
              </summary>
              <pre>{whole(entry.body)}</pre>
            </details>
          </li>
        ))}
        {entries.length === 0 && <li class="none">Nothing yet</li>}
      </ol>
    </aside>
  );
}
