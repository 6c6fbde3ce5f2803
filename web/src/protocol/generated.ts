// Written by `npm run types` from docs/asyncapi.json. Do not edit: edit layers/dayfly/dayfly/protocol, then `make docs`.
import * as v from "valibot";

export type JsonValue = unknown;
/**
 * How the model's last response ended. Only `complete` is a whole answer.
 */
export type Finish = "complete" | "length" | "context_window" | "filtered" | "refused" | "other" | (string & {});
/**
 * Every code a client may see, in an `error` reply or in an `agent_error` event.
 */
export type ErrorCode =
  | "invalid_json"
  | "invalid_message"
  | "unknown_action"
  | "not_supported"
  | "text_too_long"
  | "thread_not_found"
  | "run_not_found"
  | "id_reused"
  | "busy"
  | "queue_full"
  | "quota_exceeded"
  | "cancelled"
  | "approval_closed"
  | "unknown_agent"
  | "agent_failed"
  | "model_failed"
  | "engine_lost"
  | "engine_timeout"
  | "could_not_start"
  | "step_too_long"
  | "run_too_long"
  | "tool_outcome_unknown"
  | "unavailable"
  | "internal"
  | (string & {});
/**
 * What a running agent is at.
 */
export type Phase = "starting" | "model" | "retrying" | "tool" | "ending" | (string & {});
/**
 * What becomes of a message when its thread has a run under way.
 */
export type IfBusy = "enqueue" | "reject" | "interrupt";

/**
 * The run is durable: it will end with exactly one terminal event. The sender is attached to its thread.
 */
export interface Accepted {
  type: "accepted";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The run; all of its events carry it.
   */
  run_id: string;
  /**
   * The thread; a new one if the request named none.
   */
  thread_id: string;
  /**
   * Where the run stands now.
   */
  status: "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled" | (string & {});
  /**
   * Place in the thread's queue, from 1; with `queued` only.
   */
  position?: number | undefined;
  /**
   * The `id` was known: this is the run that it started before, and nothing was started now.
   */
  duplicate: boolean;
}
/**
 * The run was cancelled. What was said up to here stays in the history.
 */
export interface AgentCancelled {
  /**
   * Milliseconds that the run took, over all of its engines; since admission where none was at work on it.
   */
  execution_time_ms: number;
}
/**
 * One logged event of the type `agent_cancelled`.
 */
export interface AgentCancelledEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_cancelled";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentCancelled;
}
/**
 * The answer. With `truncated` it is cut to size; the deltas since the last `agent_thinking`, and the history, hold the whole of it.
 */
export interface AgentCompleted {
  /**
   * The answer.
   */
  result: string;
  /**
   * `result` was cut to size: deltas and history hold the whole. Whether the model said all, `finish` says.
   */
  truncated: boolean;
  /**
   * A structured answer as a JSON object, from an agent that gives one; absent else, and absent where it is too large for the event: then `result`, or with `truncated` the deltas, are its JSON text.
   */
  output?: {
    [k: string]: JsonValue;
  } | undefined;
  /**
   * How the model ended the answer.
   */
  finish: Finish & string;
  /**
   * Milliseconds that the run took, over all of its engines.
   */
  execution_time_ms: number;
  /**
   * What the model counted.
   */
  usage: Usage;
}
/**
 * What the model counted over the whole run.
 */
export interface Usage {
  /**
   * Requests to the model that came to a response.
   */
  requests: number;
  /**
   * Tokens that the model read.
   */
  input_tokens: number;
  /**
   * Tokens that the model wrote.
   */
  output_tokens: number;
  /**
   * Of `input_tokens`, those that the provider read from its prompt cache.
   */
  cache_read_tokens: number;
  /**
   * Of `input_tokens`, those that the provider wrote to its prompt cache.
   */
  cache_write_tokens: number;
}
/**
 * One logged event of the type `agent_completed`.
 */
export interface AgentCompletedEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_completed";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentCompleted;
}
/**
 * A piece of the answer. Consecutive pieces are merged before they get a seq.
 */
export interface AgentDelta {
  /**
   * To be appended to what came before.
   */
  text: string;
}
/**
 * One logged event of the type `agent_delta`.
 */
export interface AgentDeltaEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_delta";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentDelta;
}
/**
 * The run failed. `retryable`: sending the message again may help.
 */
export interface AgentError {
  /**
   * One of the closed list; decide by this.
   */
  code: ErrorCode;
  /**
   * One sentence for people. Its wording may change.
   */
  message: string;
  /**
   * Whether the same message, sent as a new run, may succeed.
   */
  retryable: boolean;
}
/**
 * One logged event of the type `agent_error`.
 */
export interface AgentErrorEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_error";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentError;
}
/**
 * The run is alive. `last_seq` is the last event queued to this connection before this frame.
 */
export interface AgentHeartbeat {
  type: "agent_heartbeat";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * The last seq sent to this connection before this frame; a higher one than you hold is a gap.
   */
  last_seq: number;
  /**
   * What the agent is at.
   */
  phase: Phase;
  /**
   * Milliseconds since this engine began.
   */
  elapsed_ms: number;
}
/**
 * A piece of what the model itself reasons before it answers, where it shows that; `agent_thinking` says that a request was made. No part of the answer. Consecutive pieces are merged before they get a seq.
 */
export interface AgentReasoning {
  /**
   * To be appended to the reasoning that came before in the same request to the model.
   */
  text: string;
}
/**
 * One logged event of the type `agent_reasoning`.
 */
export interface AgentReasoningEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_reasoning";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentReasoning;
}
/**
 * A fresh engine goes on. Deltas after `discard_after` are void.
 */
export interface AgentResumed {
  /**
   * Counts the run's engines; the first one is 1.
   */
  attempt: number;
  /**
   * Why a fresh engine goes on: the one before ran out of time or was lost; the user answered, or did not in time.
   */
  reason: "handed_over" | "engine_lost" | "answered" | "expired" | (string & {});
  /**
   * Drop the text of deltas with a higher seq that came before this event.
   */
  discard_after?: number | undefined;
}
/**
 * One logged event of the type `agent_resumed`.
 */
export interface AgentResumedEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_resumed";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentResumed;
}
/**
 * A request to the model failed in a way that may pass, and is made again within the run. Deltas, and pieces of reasoning, after `discard_after` are void.
 */
export interface AgentRetrying {
  /**
   * Why: the provider has too many requests, is not available, the connection broke off, nothing came in time, the response ended before it was whole, it held no answer, the conversation was too long and is sent shortened, or the answer was not of the form that the agent wants (`not_fitting`), and the model is told so. With `restated` nothing failed and nothing is sent again: what was shown as the answer turned out to be reasoning, and follows as that.
   */
  reason:
    | "throttled"
    | "unavailable"
    | "connection_lost"
    | "timed_out"
    | "cut_off"
    | "no_answer"
    | "too_long"
    | "restated"
    | "not_fitting"
    | (string & {});
  /**
   * Counts the retries of this request to the model, from 1.
   */
  retry: number;
  /**
   * Milliseconds until the request is made again.
   */
  delay_ms: number;
  /**
   * Drop the text of deltas and reasoning with a higher seq that came before this event.
   */
  discard_after: number;
}
/**
 * One logged event of the type `agent_retrying`.
 */
export interface AgentRetryingEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_retrying";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentRetrying;
}
/**
 * The engine has begun.
 */
export interface AgentStarted {
  /**
   * One sentence for people.
   */
  message: string;
}
/**
 * One logged event of the type `agent_started`.
 */
export interface AgentStartedEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_started";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentStarted;
}
/**
 * One per request to the model. `progress_percentage` is never over 95.
 */
export interface AgentThinking {
  /**
   * What the agent is about to do, for people.
   */
  reasoning: string;
  /**
   * Counts the run's requests to the model, from 1.
   */
  step_number: number;
  /**
   * A rough guess; absent where there is none.
   */
  progress_percentage?: number | undefined;
}
/**
 * One logged event of the type `agent_thinking`.
 */
export interface AgentThinkingEvent {
  /**
   * What happened; decides the payload.
   */
  type: "agent_thinking";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: AgentThinking;
}
/**
 * A tool call waits for the user. `expires_at` is RFC 3339, UTC.
 */
export interface ApprovalRequested {
  /**
   * The tool.
   */
  tool_name: string;
  /**
   * Ties this call's events together.
   */
  tool_call_id: string;
  /**
   * What the tool would be called with: redacted, cut to size.
   */
  parameters: {
    [k: string]: JsonValue;
  };
  /**
   * After this the call counts as denied.
   */
  expires_at: string;
}
/**
 * One logged event of the type `approval_requested`.
 */
export interface ApprovalRequestedEvent {
  /**
   * What happened; decides the payload.
   */
  type: "approval_requested";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: ApprovalRequested;
}
/**
 * Answers a tool call that waits for approval.
 */
export interface Approve {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "approve";
  /**
   * The run whose tool call waits.
   */
  run_id: string;
  /**
   * From `approval_requested`.
   */
  tool_call_id: string;
  /**
   * Whether the tool may run.
   */
  approved: boolean;
  /**
   * Told to the model. No control characters besides tab, line feed and carriage return.
   */
  reason?: string | undefined;
}
/**
 * The answer to a tool call's approval was taken, whether it was yes or no.
 */
export interface Approved {
  type: "approved";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The run; it goes on when all of its open calls are answered.
   */
  run_id: string;
}
/**
 * Watches a thread from here on. `after` names for each run the last seq the client holds without a gap.
 */
export interface Attach {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "attach";
  /**
   * The thread to watch.
   */
  thread_id: string;
  /**
   * For each run, the last seq that you hold without a gap.
   */
  after?: {
    [k: string]: number;
  } | null;
}
/**
 * The replay is over. With `more` it was cut: attach again, from the same run on, with the cursors held by then.
 */
export interface Attached {
  type: "attached";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The thread.
   */
  thread_id: string;
  /**
   * Each run that was replayed, oldest first.
   */
  runs: AttachedRun[];
  /**
   * The replay was cut: attach again.
   */
  more: boolean;
}
/**
 * Where a run stood when the client was attached; `seq` is the last one sent in the replay, or before it.
 */
export interface AttachedRun {
  /**
   * The run.
   */
  run_id: string;
  /**
   * Where the run stands in the log.
   */
  status: "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled" | (string & {});
  /**
   * The last seq that you hold after this replay.
   */
  seq: number;
  /**
   * Place in the thread's queue, from 1; with `queued` only.
   */
  position?: number | undefined;
}
/**
 * Ends a run early: `run_id`, or the `request_id` of a `run` that was not accepted yet.
 */
export interface Cancel {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "cancel";
  /**
   * The run to end.
   */
  run_id?: string | undefined;
  /**
   * The `id` of the `run` to end, where its `accepted` has not come yet.
   */
  request_id?: string | undefined;
}
/**
 * The run will end with one terminal event, not necessarily `agent_cancelled`.
 */
export interface Cancelling {
  type: "cancelling";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The run that will end. Absent where the `run` was not admitted yet: it will be answered with `cancelled`.
   */
  run_id?: string | undefined;
}
/**
 * Stops watching a thread.
 */
export interface Detach {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "detach";
  /**
   * The thread to watch no more.
   */
  thread_id: string;
}
/**
 * The thread's events no longer come to this connection.
 */
export interface Detached {
  type: "detached";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The thread.
   */
  thread_id: string;
}
/**
 * A request that failed. Without `id` where the frame's own could not be read.
 */
export interface Error {
  type: "error";
  /**
   * The `id` of the request, where it could be read.
   */
  id?: string | undefined;
  /**
   * One of the closed list; decide by this.
   */
  code: ErrorCode;
  /**
   * One sentence for people. Its wording may change.
   */
  message: string;
  /**
   * Whether the same request, with the same `id`, may succeed later.
   */
  retryable: boolean;
  /**
   * With `internal` only: what to quote to the operator.
   */
  request_id?: string | undefined;
}
/**
 * An image or another file that a tool has made: where it is, never what is in it.
 */
export interface FileReference {
  /**
   * For people.
   */
  name: string;
  /**
   * Such as `image/png`.
   */
  media_type: string;
  /**
   * Its size; absent where the tool did not say.
   */
  bytes?: number | undefined;
  /**
   * Where it is kept (`https:`, `http:` or `s3:`); absent where the tool has stored it nowhere, or where the URL is longer than 2 KB.
   */
  url?: string | undefined;
}
/**
 * Deletes a thread and all that is in it.
 */
export interface Forget {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "forget";
  /**
   * The thread to delete.
   */
  thread_id: string;
}
/**
 * Nothing of the thread can be read any more; its runs are ended, and its data is deleted within the hour.
 */
export interface Forgotten {
  type: "forgotten";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The thread.
   */
  thread_id: string;
}
/**
 * Reads a thread's messages backwards, a page at a time.
 */
export interface History {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "history";
  /**
   * The thread to read.
   */
  thread_id: string;
  /**
   * From the page after; without it the newest page.
   */
  before?: string | undefined;
}
/**
 * One message, or a piece of a long one: pieces of one message share `run_id` and `role` and stand in order. A message that the model cut off or refused before its first word has an empty `text`.
 */
export interface HistoryMessage {
  /**
   * Who said it.
   */
  role: "user" | "assistant";
  /**
   * What was said; a piece of it where the message is long.
   */
  text: string;
  /**
   * The run that it belongs to.
   */
  run_id: string;
  /**
   * When the run ended (RFC 3339, UTC).
   */
  at: string;
  /**
   * Goes on from the message before it: join the texts with nothing in between.
   */
  continued: boolean;
  /**
   * How the model ended this message, on each of its pieces. Absent where it had said all, and with the user's.
   */
  finish?: Finish | undefined;
}
/**
 * A page of a thread's messages, oldest first; `before` leads to the page before it.
 */
export interface HistoryPage {
  type: "history";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The thread.
   */
  thread_id: string;
  /**
   * Messages of ended runs, oldest first.
   */
  messages: HistoryMessage[];
  /**
   * Send it to get the page before this one; absent on the oldest.
   */
  before?: string | undefined;
}
/**
 * Keeps the socket open (API Gateway closes it after 10 idle minutes) and asks for the server's time.
 */
export interface Ping {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "ping";
}
/**
 * The answer to `ping`. `server_time` is RFC 3339, UTC.
 */
export interface Pong {
  type: "pong";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * RFC 3339, UTC, with milliseconds.
   */
  server_time: string;
}
/**
 * Replaces the connection's token before it expires.
 */
export interface Refresh {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "refresh";
  /**
   * A new token of the same user.
   */
  token: string;
}
/**
 * Gives a thread a title.
 */
export interface Rename {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "rename";
  /**
   * The thread to name.
   */
  thread_id: string;
  /**
   * Its new title, not white space alone. No control characters besides tab, line feed and carriage return.
   */
  title: string;
}
/**
 * The thread has its new title.
 */
export interface Renamed {
  type: "renamed";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * The thread.
   */
  thread_id: string;
  /**
   * Its title.
   */
  title: string;
}
/**
 * Starts a run with the user's text; `id` is the idempotency key, per user, for 24 hours.
 */
export interface Run {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "run";
  /**
   * The user's message, not white space alone. No control characters but tab, line feed, carriage return; no lone surrogates.
   */
  text: string;
  /**
   * The thread to go on with; without it the run opens a new one, whose id stands in `accepted`.
   */
  thread_id?: string | undefined;
  /**
   * The agent to run; without it the backend's default one.
   */
  agent?: string | undefined;
  /**
   * What to do if the thread has a run under way: queue behind it, be refused with `busy`, or cut it short.
   */
  if_busy?: IfBusy | undefined;
}
/**
 * A thread of the user is new, or its title, queue or state moved. Goes to all of the user's connections.
 */
export interface ThreadChanged {
  type: "thread_changed";
  /**
   * The thread as it is now.
   */
  thread: ThreadItem;
}
/**
 * One thread in a list. `updated_at` is when its latest run was admitted or ended (RFC 3339, UTC).
 */
export interface ThreadItem {
  /**
   * The thread.
   */
  thread_id: string;
  /**
   * The beginning of its first message, until it is renamed.
   */
  title: string;
  /**
   * When its latest run was admitted or ended (RFC 3339, UTC).
   */
  updated_at: string;
  /**
   * The run under way, if there is one.
   */
  active_run?: string | undefined;
  /**
   * Runs that wait behind it, in the order in which they will start.
   */
  queue: string[];
  /**
   * Grows with every change of the thread: of two `thread_changed`, the one with the higher version is the later.
   */
  version: number;
  /**
   * A forgotten thread is being deleted: take it out of the list.
   */
  state: "live" | "forgotten" | (string & {});
}
/**
 * A page of the user's threads, newest first.
 */
export interface ThreadList {
  type: "threads";
  /**
   * The `id` of the request.
   */
  id: string;
  /**
   * Threads, newest first. A page may be short, even empty, while there is a `cursor`.
   */
  items: ThreadItem[];
  /**
   * Send it to get the next page; absent on the last.
   */
  cursor?: string | undefined;
}
/**
 * Lists the user's threads, newest first.
 */
export interface Threads {
  /**
   * Your own id of this request; the reply carries it back.
   */
  id: string;
  action: "threads";
  /**
   * From the page before; without it the first page.
   */
  cursor?: string | undefined;
}
/**
 * A tool has run, or a call has ended without: the user did not approve it, or it named no tool, or its arguments do not fit; then no `tool_executing` came before. `result` is redacted and cut to size; the agent sees it whole.
 */
export interface ToolCompleted {
  /**
   * The tool.
   */
  tool_name: string;
  /**
   * Ties this call's events together.
   */
  tool_call_id: string;
  /**
   * `error`: the tool failed, or could not be called so; the agent was told. `denied`: the user did not approve.
   */
  status: "ok" | "error" | "denied";
  /**
   * What the tool returned, as text: redacted, cut to size.
   */
  result: string;
  /**
   * Milliseconds that the tool took.
   */
  execution_time_ms: number;
  /**
   * The files that belong to the result, 4 at most; absent where there are none.
   */
  files?: FileReference[] | undefined;
}
/**
 * One logged event of the type `tool_completed`.
 */
export interface ToolCompletedEvent {
  /**
   * What happened; decides the payload.
   */
  type: "tool_completed";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: ToolCompleted;
}
/**
 * A tool is about to run. `parameters` are redacted and cut to size; the tool sees them whole.
 */
export interface ToolExecuting {
  /**
   * The tool.
   */
  tool_name: string;
  /**
   * Ties this call's events together.
   */
  tool_call_id: string;
  /**
   * What the tool is called with: redacted, cut to size.
   */
  parameters: {
    [k: string]: JsonValue;
  };
}
/**
 * One logged event of the type `tool_executing`.
 */
export interface ToolExecutingEvent {
  /**
   * What happened; decides the payload.
   */
  type: "tool_executing";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: ToolExecuting;
}
/**
 * A running tool tells how far it is.
 */
export interface ToolProgress {
  /**
   * The tool.
   */
  tool_name: string;
  /**
   * Ties this call's events together.
   */
  tool_call_id: string;
  /**
   * For people, cut to size. It replaces the one before.
   */
  message: string;
}
/**
 * One logged event of the type `tool_progress`.
 */
export interface ToolProgressEvent {
  /**
   * What happened; decides the payload.
   */
  type: "tool_progress";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: ToolProgress;
}
/**
 * Always seq 1, written by the admission itself, so that every device sees it, queued or not.
 */
export interface UserMessage {
  /**
   * The user's message as sent.
   */
  text: string;
  /**
   * The `id` of the `run` that brought it: by this the sender knows its own message again.
   */
  request_id: string;
}
/**
 * One logged event of the type `user_message`.
 */
export interface UserMessageEvent {
  /**
   * What happened; decides the payload.
   */
  type: "user_message";
  /**
   * The run.
   */
  run_id: string;
  /**
   * Its thread.
   */
  thread_id: string;
  /**
   * Place in the run, from 1, without gaps.
   */
  seq: number;
  /**
   * When it was logged (RFC 3339, UTC, with milliseconds).
   */
  timestamp: string;
  /**
   * The agent that the run was sent to.
   */
  agent_name: string;
  /**
   * Depends on `type`.
   */
  payload: UserMessage;
}

export interface Actions {
  run: Run;
  cancel: Cancel;
  attach: Attach;
  detach: Detach;
  approve: Approve;
  threads: Threads;
  history: History;
  rename: Rename;
  forget: Forget;
  refresh: Refresh;
  ping: Ping;
}

export interface Events {
  user_message: UserMessageEvent;
  agent_started: AgentStartedEvent;
  agent_thinking: AgentThinkingEvent;
  agent_reasoning: AgentReasoningEvent;
  agent_delta: AgentDeltaEvent;
  agent_retrying: AgentRetryingEvent;
  tool_executing: ToolExecutingEvent;
  tool_progress: ToolProgressEvent;
  tool_completed: ToolCompletedEvent;
  approval_requested: ApprovalRequestedEvent;
  agent_resumed: AgentResumedEvent;
  agent_completed: AgentCompletedEvent;
  agent_error: AgentErrorEvent;
  agent_cancelled: AgentCancelledEvent;
}

export interface Replies {
  accepted: Accepted;
  cancelling: Cancelling;
  attached: Attached;
  detached: Detached;
  approved: Approved;
  threads: ThreadList;
  history: HistoryPage;
  renamed: Renamed;
  forgotten: Forgotten;
  pong: Pong;
}

export interface Signals {
  agent_heartbeat: AgentHeartbeat;
  thread_changed: ThreadChanged;
}

/** The type of the reply that each action gets, unless it is refused. */
export const REPLY_TO = {
  run: "accepted",
  cancel: "cancelling",
  attach: "attached",
  detach: "detached",
  approve: "approved",
  threads: "threads",
  history: "history",
  rename: "renamed",
  forget: "forgotten",
  ping: "pong",
} as const;

const UserMessageCheck: v.GenericSchema<unknown, UserMessage> = v.object({
  text: v.string(),
  request_id: v.string(),
});
const AgentStartedCheck: v.GenericSchema<unknown, AgentStarted> = v.object({
  message: v.string(),
});
const AgentThinkingCheck: v.GenericSchema<unknown, AgentThinking> = v.object({
  reasoning: v.string(),
  step_number: v.pipe(v.number(), v.integer(), v.minValue(1)),
  progress_percentage: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(95)), () => undefined),
});
const AgentReasoningCheck: v.GenericSchema<unknown, AgentReasoning> = v.object({
  text: v.string(),
});
const AgentDeltaCheck: v.GenericSchema<unknown, AgentDelta> = v.object({
  text: v.string(),
});
const AgentRetryingCheck: v.GenericSchema<unknown, AgentRetrying> = v.object({
  reason: v.string(),
  retry: v.pipe(v.number(), v.integer(), v.minValue(1)),
  delay_ms: v.pipe(v.number(), v.integer(), v.minValue(0)),
  discard_after: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});
const ToolExecutingCheck: v.GenericSchema<unknown, ToolExecuting> = v.object({
  tool_name: v.string(),
  tool_call_id: v.string(),
  parameters: v.record(v.string(), v.unknown()),
});
const ToolProgressCheck: v.GenericSchema<unknown, ToolProgress> = v.object({
  tool_name: v.string(),
  tool_call_id: v.string(),
  message: v.string(),
});
const FileReferenceCheck: v.GenericSchema<unknown, FileReference> = v.object({
  name: v.string(),
  media_type: v.string(),
  bytes: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), () => undefined),
  url: v.nullish(v.string(), () => undefined),
});
const ToolCompletedCheck: v.GenericSchema<unknown, ToolCompleted> = v.object({
  tool_name: v.string(),
  tool_call_id: v.string(),
  status: v.picklist(["ok","error","denied"]),
  result: v.string(),
  execution_time_ms: v.pipe(v.number(), v.integer(), v.minValue(0)),
  files: v.nullish(v.array(FileReferenceCheck), () => undefined),
});
const ApprovalRequestedCheck: v.GenericSchema<unknown, ApprovalRequested> = v.object({
  tool_name: v.string(),
  tool_call_id: v.string(),
  parameters: v.record(v.string(), v.unknown()),
  expires_at: v.string(),
});
const AgentResumedCheck: v.GenericSchema<unknown, AgentResumed> = v.object({
  attempt: v.pipe(v.number(), v.integer(), v.minValue(2)),
  reason: v.string(),
  discard_after: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), () => undefined),
});
const FinishCheck: v.GenericSchema<unknown, Finish> = v.string();
const UsageCheck: v.GenericSchema<unknown, Usage> = v.object({
  requests: v.nullish(v.pipe(v.number(), v.integer()), 0),
  input_tokens: v.nullish(v.pipe(v.number(), v.integer()), 0),
  output_tokens: v.nullish(v.pipe(v.number(), v.integer()), 0),
  cache_read_tokens: v.nullish(v.pipe(v.number(), v.integer()), 0),
  cache_write_tokens: v.nullish(v.pipe(v.number(), v.integer()), 0),
});
const AgentCompletedCheck: v.GenericSchema<unknown, AgentCompleted> = v.object({
  result: v.string(),
  truncated: v.boolean(),
  output: v.nullish(v.record(v.string(), v.unknown()), () => undefined),
  finish: v.nullish(FinishCheck, "complete"),
  execution_time_ms: v.pipe(v.number(), v.integer(), v.minValue(0)),
  usage: UsageCheck,
});
const ErrorCodeCheck: v.GenericSchema<unknown, ErrorCode> = v.string();
const AgentErrorCheck: v.GenericSchema<unknown, AgentError> = v.object({
  code: ErrorCodeCheck,
  message: v.string(),
  retryable: v.boolean(),
});
const AgentCancelledCheck: v.GenericSchema<unknown, AgentCancelled> = v.object({
  execution_time_ms: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
const AcceptedCheck: v.GenericSchema<unknown, Accepted> = v.object({
  type: v.literal("accepted"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  run_id: v.string(),
  thread_id: v.string(),
  status: v.string(),
  position: v.nullish(v.pipe(v.number(), v.integer()), () => undefined),
  duplicate: v.nullish(v.boolean(), false),
});
const CancellingCheck: v.GenericSchema<unknown, Cancelling> = v.object({
  type: v.literal("cancelling"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  run_id: v.nullish(v.string(), () => undefined),
});
const AttachedRunCheck: v.GenericSchema<unknown, AttachedRun> = v.object({
  run_id: v.string(),
  status: v.string(),
  seq: v.pipe(v.number(), v.integer()),
  position: v.nullish(v.pipe(v.number(), v.integer()), () => undefined),
});
const AttachedCheck: v.GenericSchema<unknown, Attached> = v.object({
  type: v.literal("attached"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  thread_id: v.string(),
  runs: v.array(AttachedRunCheck),
  more: v.nullish(v.boolean(), false),
});
const DetachedCheck: v.GenericSchema<unknown, Detached> = v.object({
  type: v.literal("detached"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  thread_id: v.string(),
});
const ApprovedCheck: v.GenericSchema<unknown, Approved> = v.object({
  type: v.literal("approved"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  run_id: v.string(),
});
const ThreadItemCheck: v.GenericSchema<unknown, ThreadItem> = v.object({
  thread_id: v.string(),
  title: v.string(),
  updated_at: v.string(),
  active_run: v.nullish(v.string(), () => undefined),
  queue: v.nullish(v.array(v.string()), []),
  version: v.nullish(v.pipe(v.number(), v.integer()), 0),
  state: v.nullish(v.string(), "live"),
});
const ThreadListCheck: v.GenericSchema<unknown, ThreadList> = v.object({
  type: v.literal("threads"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  items: v.array(ThreadItemCheck),
  cursor: v.nullish(v.string(), () => undefined),
});
const HistoryMessageCheck: v.GenericSchema<unknown, HistoryMessage> = v.object({
  role: v.picklist(["user","assistant"]),
  text: v.string(),
  run_id: v.string(),
  at: v.string(),
  continued: v.nullish(v.boolean(), false),
  finish: v.nullish(FinishCheck, () => undefined),
});
const HistoryPageCheck: v.GenericSchema<unknown, HistoryPage> = v.object({
  type: v.literal("history"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  thread_id: v.string(),
  messages: v.array(HistoryMessageCheck),
  before: v.nullish(v.string(), () => undefined),
});
const RenamedCheck: v.GenericSchema<unknown, Renamed> = v.object({
  type: v.literal("renamed"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  thread_id: v.string(),
  title: v.string(),
});
const ForgottenCheck: v.GenericSchema<unknown, Forgotten> = v.object({
  type: v.literal("forgotten"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  thread_id: v.string(),
});
const PongCheck: v.GenericSchema<unknown, Pong> = v.object({
  type: v.literal("pong"),
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  server_time: v.string(),
});
const PhaseCheck: v.GenericSchema<unknown, Phase> = v.string();
const AgentHeartbeatCheck: v.GenericSchema<unknown, AgentHeartbeat> = v.object({
  type: v.literal("agent_heartbeat"),
  run_id: v.string(),
  thread_id: v.string(),
  last_seq: v.pipe(v.number(), v.integer(), v.minValue(0)),
  phase: PhaseCheck,
  elapsed_ms: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
const ThreadChangedCheck: v.GenericSchema<unknown, ThreadChanged> = v.object({
  type: v.literal("thread_changed"),
  thread: ThreadItemCheck,
});
const ErrorCheck: v.GenericSchema<unknown, Error> = v.object({
  type: v.literal("error"),
  id: v.nullish(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)), () => undefined),
  code: ErrorCodeCheck,
  message: v.string(),
  retryable: v.boolean(),
  request_id: v.nullish(v.string(), () => undefined),
});

export const ENVELOPE = v.object({
  type: v.pipe(v.string(), v.minLength(1)),
  run_id: v.string(),
  thread_id: v.string(),
  seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
  timestamp: v.string(),
  agent_name: v.string(),
  payload: v.record(v.string(), v.unknown()),
});

export const PAYLOADS = {
  user_message: UserMessageCheck,
  agent_started: AgentStartedCheck,
  agent_thinking: AgentThinkingCheck,
  agent_reasoning: AgentReasoningCheck,
  agent_delta: AgentDeltaCheck,
  agent_retrying: AgentRetryingCheck,
  tool_executing: ToolExecutingCheck,
  tool_progress: ToolProgressCheck,
  tool_completed: ToolCompletedCheck,
  approval_requested: ApprovalRequestedCheck,
  agent_resumed: AgentResumedCheck,
  agent_completed: AgentCompletedCheck,
  agent_error: AgentErrorCheck,
  agent_cancelled: AgentCancelledCheck,
};

export const REPLIES = {
  accepted: AcceptedCheck,
  cancelling: CancellingCheck,
  attached: AttachedCheck,
  detached: DetachedCheck,
  approved: ApprovedCheck,
  threads: ThreadListCheck,
  history: HistoryPageCheck,
  renamed: RenamedCheck,
  forgotten: ForgottenCheck,
  pong: PongCheck,
};

export const SIGNALS = {
  agent_heartbeat: AgentHeartbeatCheck,
  thread_changed: ThreadChangedCheck,
};

export const ERROR = ErrorCheck;
