/**
 * What crosses the wire, version 1, as this client takes it. The types of frames and the checks of what arrives are
 * generated from the protocol's own JSON Schemas; here is what this client makes of them.
 *
 * Unknown fields are dropped and unknown event types are kept as `unknown`: a newer server never breaks an older client.
 */
import * as v from "valibot";
import type { Actions, Error as ErrorReply, Events, REPLY_TO, Replies, Signals } from "../protocol/generated";

export type {
  Error as ErrorReply,
  FileReference,
  HistoryMessage as Message,
  IfBusy,
  ThreadItem,
} from "../protocol/generated";

/** Subprotocol that the server answers with; the token travels beside it as `bearer.<jwt>`. */
export const SUBPROTOCOL = "dayfly.v1";

// ---- events of a run ------------------------------------------------------------------------------------------------

export type EventType = keyof Events;
export type EventOf<T extends EventType> = Events[T];
/** A well-formed event of a type, or with a payload, that this client does not know. It still counts in `seq`. */
export type UnknownEvent = Omit<Events["agent_started"], "type" | "payload"> & {
  readonly type: "unknown";
  readonly payload: { readonly type: string; readonly body: Readonly<Record<string, unknown>> };
};
export type RunEvent = Events[EventType] | UnknownEvent;

// ---- replies, matched by `id` ---------------------------------------------------------------------------------------

export type ReplyType = keyof Replies;
export type ReplyOf<T extends ReplyType> = Replies[T];
export type Reply = Replies[ReplyType];

// ---- notices: neither logged nor numbered ---------------------------------------------------------------------------

/** Notices of later versions, which this client can follow already. */
export const LATER_NOTICES = {
  reconnect_soon: v.object({ type: v.literal("reconnect_soon") }),
  auth_expired: v.object({ type: v.literal("auth_expired") }),
} as const;

export type Notice = Signals[keyof Signals] | v.InferOutput<(typeof LATER_NOTICES)[keyof typeof LATER_NOTICES]>;

/** API Gateway's own error frame (`Internal server error`, `Forbidden`, …): it names no request of ours. */
export const GatewayError = v.object({
  message: v.string(),
  connectionId: v.nullish(v.string()),
  requestId: v.nullish(v.string()),
});
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

/** The reply that each action gets, unless it is refused. */
export type ReplyTo = typeof REPLY_TO;
/** What can be asked for; the id is given to it where it is sent. */
export type Request = { [A in keyof ReplyTo]: Readonly<Omit<Actions[A], "id">> }[keyof ReplyTo];
