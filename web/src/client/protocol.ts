/**
 * The wire protocol, version 1: what the server sends and what a client may send.
 *
 * Every schema here is also the type (`v.InferOutput`), so a value that has one of these types was really checked.
 * Unknown fields are dropped and unknown event types are kept as `unknown`: a newer server never breaks an older client.
 */
import * as v from "valibot";

/** Subprotocol that the server answers with; the token travels beside it as `bearer.<jwt>`. */
export const SUBPROTOCOL = "dayfly.v1";

const text = v.string();
const id = v.pipe(v.string(), v.minLength(1));
const seq = v.pipe(v.number(), v.integer(), v.minValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const absent = <T extends v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>>(schema: T) => v.nullish(schema);

// ---- events of a run ------------------------------------------------------------------------------------------------

const Envelope = v.object({
  type: id,
  run_id: id,
  thread_id: id,
  seq,
  timestamp: text,
  agent_name: v.optional(v.nullable(text, ""), ""),
  payload: v.record(v.string(), v.unknown()),
});
type EnvelopeOf = Omit<v.InferOutput<typeof Envelope>, "type" | "payload">;

export const PAYLOADS = {
  user_message: v.object({ text, request_id: absent(text) }),
  agent_started: v.object({ message: absent(text) }),
  agent_thinking: v.object({ reasoning: text, step_number: v.number(), progress_percentage: absent(v.number()) }),
  agent_delta: v.object({ text }),
  tool_executing: v.object({ tool_name: text, tool_call_id: id, parameters: v.unknown() }),
  tool_completed: v.object({
    tool_name: text,
    tool_call_id: id,
    status: v.picklist(["ok", "error", "denied"]),
    result: v.unknown(),
    execution_time_ms: absent(v.number()),
  }),
  approval_requested: v.object({ tool_name: text, tool_call_id: id, parameters: v.unknown(), expires_at: text }),
  agent_resumed: v.object({ attempt: v.number(), reason: text, discard_after: absent(count) }),
  agent_completed: v.object({
    result: text,
    truncated: absent(v.boolean()),
    execution_time_ms: absent(v.number()),
    usage: v.unknown(),
  }),
  agent_error: v.object({ code: text, message: text, retryable: v.boolean() }),
  agent_cancelled: v.object({ execution_time_ms: absent(v.number()) }),
} as const;

export type EventType = keyof typeof PAYLOADS;
export type EventOf<T extends EventType> = EnvelopeOf & {
  readonly type: T;
  readonly payload: v.InferOutput<(typeof PAYLOADS)[T]>;
};
/** A well-formed event of a type, or with a payload, that this client does not know. It still counts in `seq`. */
export type UnknownEvent = EnvelopeOf & {
  readonly type: "unknown";
  readonly payload: { readonly type: string; readonly body: Readonly<Record<string, unknown>> };
};
export type RunEvent = { [T in EventType]: EventOf<T> }[EventType] | UnknownEvent;

export { Envelope };

// ---- replies, matched by `id` ---------------------------------------------------------------------------------------

const RunHead = v.object({ run_id: id, status: text, seq: count, position: absent(count) });
const ThreadItem = v.object({
  thread_id: id,
  title: v.optional(v.nullable(text, ""), ""),
  updated_at: v.optional(v.nullable(text, ""), ""),
  active_run: absent(text),
  /** Runs that wait behind the active one, in the order in which they will start. */
  queue: v.optional(v.nullable(v.array(text), []), []),
  /** Grows with every change of the thread. */
  version: v.optional(v.nullable(count, 0), 0),
  /** `live`, or `forgotten`: then it is to be taken out of the list. */
  state: v.optional(v.nullable(text, "live"), "live"),
});
const Message = v.object({
  role: v.picklist(["user", "assistant"]),
  text,
  run_id: text,
  at: v.optional(v.nullable(text, ""), ""),
});

export const REPLIES = {
  accepted: v.object({
    type: v.literal("accepted"),
    id,
    run_id: id,
    thread_id: id,
    status: text,
    position: absent(count),
    duplicate: v.optional(v.boolean(), false),
  }),
  attached: v.object({
    type: v.literal("attached"),
    id,
    thread_id: id,
    runs: v.array(RunHead),
    more: v.optional(v.boolean(), false),
  }),
  cancelling: v.object({ type: v.literal("cancelling"), id, run_id: absent(text) }),
  detached: v.object({ type: v.literal("detached"), id, thread_id: absent(text) }),
  approved: v.object({ type: v.literal("approved"), id, run_id: id }),
  threads: v.object({ type: v.literal("threads"), id, items: v.array(ThreadItem), cursor: absent(text) }),
  history: v.object({
    type: v.literal("history"),
    id,
    thread_id: id,
    messages: v.array(Message),
    before: absent(text),
  }),
  renamed: v.object({ type: v.literal("renamed"), id, thread_id: id, title: text }),
  forgotten: v.object({ type: v.literal("forgotten"), id, thread_id: id }),
  pong: v.object({ type: v.literal("pong"), id, server_time: text }),
} as const;

export type ReplyType = keyof typeof REPLIES;
export type ReplyOf<T extends ReplyType> = v.InferOutput<(typeof REPLIES)[T]>;
export type Reply = { [T in ReplyType]: ReplyOf<T> }[ReplyType];
export type ThreadItem = v.InferOutput<typeof ThreadItem>;
export type Message = v.InferOutput<typeof Message>;

// ---- notices: neither logged nor numbered ---------------------------------------------------------------------------

export const NOTICES = {
  agent_heartbeat: v.object({
    type: v.literal("agent_heartbeat"),
    run_id: id,
    thread_id: id,
    last_seq: count,
    phase: absent(text),
    elapsed_ms: absent(v.number()),
  }),
  thread_changed: v.object({ type: v.literal("thread_changed"), thread: ThreadItem }),
  reconnect_soon: v.object({ type: v.literal("reconnect_soon") }),
  auth_expired: v.object({ type: v.literal("auth_expired") }),
} as const;

export type NoticeType = keyof typeof NOTICES;
export type NoticeOf<T extends NoticeType> = v.InferOutput<(typeof NOTICES)[T]>;
export type Notice = { [T in NoticeType]: NoticeOf<T> }[NoticeType];

/** A refusal; `id` names the request that it answers, when the server could read it. */
export const ErrorReply = v.object({
  type: v.literal("error"),
  id: absent(text),
  code: text,
  message: v.optional(v.nullable(text, ""), ""),
  retryable: v.optional(v.boolean(), false),
  /** With an unexpected failure: what to quote to the operator. */
  request_id: absent(text),
});
export type ErrorReply = v.InferOutput<typeof ErrorReply>;

/** API Gateway's own error frame (`Internal server error`, `Forbidden`, …): it names no request of ours. */
export const GatewayError = v.object({ message: text, connectionId: absent(text), requestId: absent(text) });
export type GatewayError = v.InferOutput<typeof GatewayError>;

/** Anything that can arrive, after checking. */
export type Frame =
  | { readonly kind: "event"; readonly event: RunEvent }
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "error"; readonly error: ErrorReply }
  | { readonly kind: "gateway"; readonly error: GatewayError }
  | { readonly kind: "ignored"; readonly type: string }
  | { readonly kind: "malformed"; readonly reason: string };

// ---- client → server ------------------------------------------------------------------------------------------------

/** What becomes of a message whose thread is busy: it waits, is refused, or ends the present run. */
export type IfBusy = "enqueue" | "reject" | "interrupt";

export type Request =
  | {
      readonly action: "run";
      readonly text: string;
      readonly thread_id?: string | undefined;
      readonly agent?: string | undefined;
      readonly if_busy?: IfBusy | undefined;
    }
  | { readonly action: "cancel"; readonly run_id: string }
  | { readonly action: "cancel"; readonly request_id: string }
  | { readonly action: "attach"; readonly thread_id: string; readonly after?: Readonly<Record<string, number>> }
  | { readonly action: "detach"; readonly thread_id: string }
  | {
      readonly action: "approve";
      readonly run_id: string;
      readonly tool_call_id: string;
      readonly approved: boolean;
      readonly reason?: string | undefined;
    }
  | { readonly action: "threads"; readonly cursor?: string | undefined }
  | { readonly action: "history"; readonly thread_id: string; readonly before?: string | undefined }
  | { readonly action: "rename"; readonly thread_id: string; readonly title: string }
  | { readonly action: "forget"; readonly thread_id: string }
  | { readonly action: "ping" };

/** The reply that each action gets, unless it is refused. */
export interface ReplyTo {
  readonly run: "accepted";
  readonly cancel: "cancelling";
  readonly attach: "attached";
  readonly detach: "detached";
  readonly approve: "approved";
  readonly threads: "threads";
  readonly history: "history";
  readonly rename: "renamed";
  readonly forget: "forgotten";
  readonly ping: "pong";
}
