/**
 * The client's picture of everything it has been told: a pure reducer over checked frames.
 *
 * Frames may come in any order and more than once: ahead of `accepted`, between `attach` and `attached`, twice after a
 * reconnect. Each run is a set keyed by seq and only its gap-free part is shown, so what comes early is held back until
 * the events before it are there; that is the buffer between `attach` and `attached`, too.
 */
import { isForgotten, isStale, type List, listed, pruned, titled, unlisted } from "./list";
import type { ErrorReply, Frame, IfBusy, Notice, Reply, ReplyOf, ThreadItem } from "./protocol";
import { type RunView, withEvent } from "./run";
import { newThread, type ThreadView, withHeads, withItem, withRun } from "./thread";

/** A message that this client sent; it is resolved by `accepted` or by the `user_message` that names it. */
export interface Sent {
  readonly requestId: string;
  readonly text: string;
  readonly threadId: string | undefined;
  readonly ifBusy: IfBusy | undefined;
  readonly run: { readonly runId: string; readonly threadId: string } | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | undefined;
}

/** What this client answered to a call. `closed`: too late, another answer or the call's expiry came first. */
export interface Answer {
  readonly approved: boolean;
  readonly state: "sending" | "taken" | "closed";
}

export interface View {
  readonly threads: Readonly<Record<string, ThreadView>>;
  readonly sent: Readonly<Record<string, Sent>>;
  /** By `callKey`. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Threads that were forgotten, or that the server does not know. */
  readonly gone: Readonly<Record<string, true>>;
  /** The user's threads, last changed first. */
  readonly list: List;
  readonly listCursor: string | undefined;
}

export type Action =
  | { readonly type: "frame"; readonly frame: Frame; readonly at: number }
  | ({ readonly type: "sent" } & Pick<Sent, "requestId" | "text" | "threadId" | "ifBusy">)
  | { readonly type: "refused"; readonly error: Omit<ErrorReply, "type"> }
  | { readonly type: "withdrawn"; readonly requestId: string }
  /** This client's answer to a call; `undefined`: it did not reach the server, or was refused for another reason. */
  | { readonly type: "answer"; readonly key: string; readonly answer: Answer | undefined }
  | { readonly type: "gone"; readonly threadId: string }
  /** A page of a thread's history: the newest one anew, or one `older` than what is there. */
  | { readonly type: "page"; readonly page: ReplyOf<"history">; readonly older: boolean }
  /** The whole list came in one page; `asked` is the list as it was when it was asked for. */
  | { readonly type: "all"; readonly page: ReplyOf<"threads">; readonly asked: List }
  | { readonly type: "attaching"; readonly threadId: string; readonly at: number };

export const NOTHING: View = { threads: {}, sent: {}, answers: {}, gone: {}, list: [], listCursor: undefined };

export function callKey(runId: string, toolCallId: string): string {
  return `${runId} ${toolCallId}`;
}

export function reduce(view: View, action: Action): View {
  switch (action.type) {
    case "frame":
      return onFrame(view, action.frame, action.at);
    case "sent": {
      const { type: _, ...message } = action;
      const sent: Sent = { ...message, run: undefined, error: undefined };
      return { ...view, sent: { ...view.sent, [sent.requestId]: sent } };
    }
    case "refused":
      return onError(view, { type: "error", ...action.error });
    case "withdrawn":
      return { ...view, sent: without(view.sent, action.requestId) };
    case "answer": {
      const answers = without(view.answers, action.key);
      return { ...view, answers: action.answer === undefined ? answers : { ...answers, [action.key]: action.answer } };
    }
    case "gone":
      return gone(view, action.threadId);
    case "page": {
      const { thread_id, messages, before } = action.page;
      return inThread(view, thread_id, (thread) => ({
        ...thread,
        history: action.older ? [...messages, ...thread.history] : messages,
        before: before ?? undefined,
        historyLoaded: true,
      }));
    }
    case "all":
      return { ...view, list: pruned(view.list, action.asked, action.page.items) };
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
      return inThread(view, reply.thread_id, (thread) => withHeads(thread, reply.runs, at));
    case "threads": {
      const next = reply.items.reduce((before, item) => onItem(before, item, at), view);
      return { ...next, listCursor: reply.cursor ?? undefined };
    }
    case "renamed":
      return { ...view, list: titled(view.list, reply.thread_id, reply.title) };
    case "forgotten":
      return gone(view, reply.thread_id);
    // The others change nothing by themselves; which page it is, and which call, only the request knows: see the actions
    // `page` and `answer`.
    default:
      return view;
  }
}

function onNotice(view: View, notice: Notice, at: number): View {
  switch (notice.type) {
    case "agent_heartbeat":
      return inRun(view, notice.thread_id, notice.run_id, at, (run) => ({
        ...run,
        // Only an engine sends it, so the run is not queued any more.
        status: run.status === "" || run.status === "queued" ? "running" : run.status,
        known: Math.max(run.known, notice.last_seq),
        phase: notice.last_seq >= run.known ? notice.phase : run.phase,
        heardAt: Math.max(run.heardAt, at),
      }));
    case "thread_changed":
      return onItem(view, notice.thread, at);
    case "reconnect_soon":
    case "auth_expired":
      return view;
  }
}

function onItem(view: View, item: ThreadItem, at: number): View {
  const { thread_id } = item;
  if (isForgotten(item)) return gone(view, thread_id);
  if (Object.hasOwn(view.gone, thread_id) || isStale(view.list, item)) return view;
  const next = { ...view, list: listed(view.list, item) };
  // Of a thread that was never looked into, the list is all that is of interest.
  return view.threads[thread_id] === undefined
    ? next
    : inThread(next, thread_id, (thread) => withItem(thread, item, at));
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
  // The runs of a forgotten thread are ended, and what still comes of them is of no interest.
  if (Object.hasOwn(view.gone, threadId)) return view;
  return { ...view, threads: { ...view.threads, [threadId]: change(view.threads[threadId] ?? newThread(threadId)) } };
}

function inRun(view: View, threadId: string, runId: string, at: number, change: (run: RunView) => RunView): View {
  return inThread(view, threadId, (thread) => withRun(thread, runId, at, change));
}

function resolved(view: View, requestId: string, runId: string, threadId: string): View {
  const sent = view.sent[requestId];
  if (sent === undefined) return view;
  const done: Sent = { ...sent, run: { runId, threadId }, error: undefined };
  return { ...view, sent: { ...view.sent, [requestId]: done } };
}

function gone(view: View, threadId: string): View {
  return {
    ...view,
    threads: without(view.threads, threadId),
    gone: { ...view.gone, [threadId]: true },
    list: unlisted(view.list, threadId),
  };
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}
