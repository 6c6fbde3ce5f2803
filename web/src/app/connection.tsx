import type { ConnectionState } from "../client";
import type { Session } from "./session";

const LABELS: Record<ConnectionState["name"], string> = {
  online: "Online",
  connecting: "Connecting…",
  waiting: "Offline, trying again",
  closed: "Closed",
};

export function Connection({ session }: { session: Session }) {
  const state = session.connection;
  return (
    <div class="connection">
      <span
        role="status"
        class={`dot ${state.name}`}
        data-testid="connection"
        data-state={state.name}
        title={state.name === "waiting" ? state.reason : undefined}
      >
        {LABELS[state.name]}
      </span>
      {state.name === "waiting" && (
        <button type="button" class="quiet" onClick={() => session.client.hurry()}>
          Try now
        </button>
      )}
    </div>
  );
}
