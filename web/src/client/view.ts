/**
 * The client's picture of everything it has been told: a pure reducer over checked frames.
 *
 * Frames may come in any order and more than once: ahead of `accepted`, between `attach` and `attached`, twice after a
 * reconnect. Each run is a set keyed by seq and only its gap-free part is shown, so what comes early is held back until
 * the events before it are there; that is the buffer between `attach` and `attached`, too.
 */
import type { ErrorReply, Frame, Message, Notice, Reply, ReplyOf, ThreadItem } from "./protocol";
import { newRun, type RunView, stateNamed, withEvent } from "./run";
import { isOver } from "./summary";

export interface ThreadView {
  readonly threadId: string;
  /** In the order in which they run. */
  readonly runs: readonly RunView[];
  /** Older turns, oldest first; those of `runs` are left out by `turnsBefore`. */
  readonly history: readonly Message[];
  readonly before: string | undefined;
  readonly historyLoaded: boolean;
}

/** A message that this client sent; it is resolved by `accepted` or by the `user_message` that names it. */
export interface Sent {
  readonly requestId: string;
  readonly text: string;
  readonly threadId: string | undefined;
  readonly run: { readonly runId: string; readonly threadId: string } | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | undefined;
}

export interface View {
  readonly threads: Readonly<Record<string, ThreadView>>;
  readonly sent: Readonly<Record<string, Sent>>;
  /** The user's threads, last changed first. */
  readonly list: readonly ThreadItem[];
  readonly listCursor: string | undefined;
}

export type Action =
  | { readonly type: "frame"; readonly frame: Frame; readonly at: number }
  | { readonly type: "sent"; readonly requestId: string; readonly text: string; readonly threadId: string | undefined }
  | { readonly type: "refused"; readonly error: Omit<ErrorReply, "type"> }
  | { readonly type: "withdrawn"; readonly requestId: string }
  /** A page of a thread's history: the newest one anew, or one `older` than what is there. */
  | { readonly type: "page"; readonly page: ReplyOf<"history">; readonly older: boolean }
  | { readonly type: "attaching"; readonly threadId: string; readonly at: number };

export const NOTHING: View = { threads: {}, sent: {}, list: [], listCursor: undefined };

export function reduce(view: View, action: Action): View {
  switch (action.type) {
    case "frame":
      return onFrame(view, action.frame, action.at);
    case "sent": {
      const { requestId, text, threadId } = action;
      const sent: Sent = { requestId, text, threadId, run: undefined, error: undefined };
      return { ...view, sent: { ...view.sent, [requestId]: sent } };
    }
    case "refused":
      return onError(view, { type: "error", ...action.error });
    case "withdrawn": {
      const { [action.requestId]: _, ...sent } = view.sent;
      return { ...view, sent };
    }
    case "page": {
      const { thread_id, messages, before } = action.page;
      return inThread(view, thread_id, (thread) => ({
        ...thread,
        history: action.older ? [...messages, ...thread.history] : messages,
        before: before ?? undefined,
        historyLoaded: true,
      }));
    }
    case "attaching":
      // Silence is counted anew from here, so that one silent run asks once in each period, not at every tick.
      return inThread(view, action.threadId, (thread) => ({
        ...thread,
        runs: thread.runs.map((run) => ({ ...run, heardAt: Math.max(run.heardAt, action.at) })),
      }));
  }
}

function onFrame(view: View, frame: Frame, at: number): View {
  switch (frame.kind) {
    case "event": {
      const { event } = frame;
      const next = inRun(view, event.thread_id, event.run_id, at, (run) => withEvent(run, event, at));
      if (event.type !== "user_message" || !event.payload.request_id) return next;
      return resolved(next, event.payload.request_id, event.run_id, event.thread_id);
    }
    case "reply":
      return onReply(view, frame.reply, at);
    case "notice":
      return onNotice(view, frame.notice, at);
    case "error":
      return onError(view, frame.error);
    case "gateway":
    case "ignored":
    case "malformed":
      return view;
  }
}

function onReply(view: View, reply: Reply, at: number): View {
  switch (reply.type) {
    case "accepted": {
      const { run_id, thread_id, status, position } = reply;
      const next = inRun(view, thread_id, run_id, at, (run) => ({ ...run, status, position: position ?? undefined }));
      return resolved(next, reply.id, run_id, thread_id);
    }
    case "attached":
      return inThread(view, reply.thread_id, (thread) => {
        let runs = thread.runs;
        const fresh = runs.length === 0;
        for (const { run_id, status, seq } of reply.runs) {
          // Attached without a cursor, runs that have ended are not replayed: they are read from the history.
          if (fresh && isOver(stateNamed(status) ?? "running")) continue;
          runs = changed(runs, run_id, reply.thread_id, at, (run) => ({
            ...run,
            status,
            known: Math.max(run.known, seq),
            heardAt: Math.max(run.heardAt, at),
          }));
        }
        return {
          ...thread,
          runs: inOrder(
            runs,
            reply.runs.map((head) => head.run_id),
          ),
        };
      });
    case "threads":
      return {
        ...view,
        list: reply.items.reduce(listed, view.list),
        listCursor: reply.cursor ?? undefined,
      };
    case "history":
    // Which page it is, only the request knows: see the action `page`.
    case "cancelling":
    case "detached":
    case "pong":
      return view;
  }
}

function onNotice(view: View, notice: Notice, at: number): View {
  switch (notice.type) {
    case "agent_heartbeat":
      return inRun(view, notice.thread_id, notice.run_id, at, (run) => ({
        ...run,
        known: Math.max(run.known, notice.last_seq),
        heardAt: Math.max(run.heardAt, at),
      }));
    case "thread_changed":
      return { ...view, list: listed(view.list, notice.thread) };
    case "reconnect_soon":
    case "auth_expired":
      return view;
  }
}

function onError(view: View, error: ErrorReply): View {
  const sent = error.id ? view.sent[error.id] : undefined;
  // What the log has taken up is accepted, whatever became of the reply.
  if (sent === undefined || sent.run !== undefined) return view;
  const { code, message, retryable } = error;
  return { ...view, sent: { ...view.sent, [sent.requestId]: { ...sent, error: { code, message, retryable } } } };
}

// ---- small pieces ---------------------------------------------------------------------------------------------------

function inThread(view: View, threadId: string, change: (thread: ThreadView) => ThreadView): View {
  const thread = view.threads[threadId] ?? {
    threadId,
    runs: [],
    history: [],
    before: undefined,
    historyLoaded: false,
  };
  return { ...view, threads: { ...view.threads, [threadId]: change(thread) } };
}

function inRun(view: View, threadId: string, runId: string, at: number, change: (run: RunView) => RunView): View {
  return inThread(view, threadId, (thread) => ({ ...thread, runs: changed(thread.runs, runId, threadId, at, change) }));
}

function changed(
  runs: readonly RunView[],
  runId: string,
  threadId: string,
  at: number,
  change: (run: RunView) => RunView,
): readonly RunView[] {
  const index = runs.findIndex((run) => run.runId === runId);
  const run = runs[index];
  return run === undefined ? [...runs, change(newRun(runId, threadId, at))] : runs.with(index, change(run));
}

/** The runs that `order` names, in its order, in the places that they hold together. */
function inOrder(runs: readonly RunView[], order: readonly string[]): readonly RunView[] {
  const rank = new Map(order.map((runId, index) => [runId, index]));
  const named = runs
    .filter((run) => rank.has(run.runId))
    .sort((a, b) => (rank.get(a.runId) ?? 0) - (rank.get(b.runId) ?? 0));
  return runs.map((run) => (rank.has(run.runId) ? (named.shift() ?? run) : run));
}

function resolved(view: View, requestId: string, runId: string, threadId: string): View {
  const sent = view.sent[requestId];
  if (sent === undefined) return view;
  const done: Sent = { ...sent, threadId, run: { runId, threadId }, error: undefined };
  return { ...view, sent: { ...view.sent, [requestId]: done } };
}

function listed(list: readonly ThreadItem[], item: ThreadItem): readonly ThreadItem[] {
  const others = list.filter((other) => other.thread_id !== item.thread_id);
  return [...others, item].sort((a, b) => b.updated_at.localeCompare(a.updated_at));
}
