/** The Dayfly client: no user interface, no dependency on one. */
export { isOpen } from "./calls";
export { type ClientEvents, DayflyClient, newId, type RunOptions } from "./client";
export type { ConnectionOptions, ConnectionState, Socket } from "./connection";
export { DayflyError } from "./errors";
export { MAX_FRAME_BYTES, MAX_TEXT_BYTES, textBytes } from "./limits";
export { parseFrame } from "./parse";
export type {
  EventOf,
  EventType,
  FileReference,
  Frame,
  IfBusy,
  Message,
  Reply,
  Request,
  RunEvent,
  ThreadItem,
} from "./protocol";
export { type RunView, stateOf } from "./run";
export { activeRun, inTurn, positionOf, turnsBefore } from "./select";
export type { ApprovalState, RetryStep, Step, ToolStep } from "./step";
export { answerOf, isOver, isSpeaking, type Line, linesOf, type RunState, type Summary } from "./summary";
export type { ThreadView } from "./thread";
export { type Answer, callKey, NOTHING, reduce, type Sent, type View } from "./view";
