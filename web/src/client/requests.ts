/**
 * Requests that wait for their reply, matched by `id`.
 *
 * Every action may be sent twice under one id (`run` by its idempotency key, the others by nature), so whatever is
 * unanswered is sent again after a reconnect.
 */

import { REPLY_TO } from "../protocol/generated";
import { DayflyError } from "./errors";
import { encodeRequest } from "./limits";
import type { ErrorReply, GatewayError, Reply, ReplyOf, ReplyTo, Request } from "./protocol";

/** How long a request waits for its reply (ms), reconnects included. */
const PATIENCE = 60_000;
/** Times that one request is sent at most while the gateway answers with errors of its own. */
const MAX_SENDS = 3;
const RESEND_DELAY = 1_000;

interface Waiting {
  readonly action: keyof ReplyTo;
  readonly frame: string;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: DayflyError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  sends: number;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  #resend: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (frame: string) => boolean) {}

  /** Sends `request`. Raises `DayflyError`: too large (nothing is sent), the server's refusal, `no_reply`, `closed`. */
  ask<R extends Request>(request: R, id: string): Promise<ReplyOf<ReplyTo[R["action"]]>> {
    const frame = encodeRequest(request, id);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id)?.reject(new DayflyError("no_reply", "The server did not answer.", true)),
        PATIENCE,
      );
      // `answer` checks that the reply's type belongs to the action before it resolves.
      const waiting: Waiting = {
        action: request.action,
        frame,
        resolve: resolve as (reply: Reply) => void,
        reject,
        timer,
        sends: 0,
      };
      this.#waiting.set(id, waiting);
      if (this.send(frame)) waiting.sends += 1;
    });
  }

  waits(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Hands the reply to whoever asked. False: nobody did, or not for that. */
  answer(reply: Reply): boolean {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined || REPLY_TO[waiting.action] !== reply.type) return false;
    this.#settle(reply.id)?.resolve(reply);
    return true;
  }

  refuse(error: ErrorReply): boolean {
    const waiting = error.id ? this.#settle(error.id) : undefined;
    waiting?.reject(new DayflyError(error.code, error.message, error.retryable));
    return waiting !== undefined;
  }

  /** API Gateway's own errors name no request: what is unanswered is sent again, a bounded number of times. */
  stumble(error: GatewayError): void {
    for (const [id, waiting] of [...this.#waiting]) {
      if (waiting.sends < MAX_SENDS) continue;
      this.#settle(id);
      waiting.reject(new DayflyError("gateway", error.message, true));
    }
    clearTimeout(this.#resend);
    this.#resend = setTimeout(() => this.again(), RESEND_DELAY);
  }

  /** Sends everything unanswered once more. */
  again(): void {
    for (const waiting of this.#waiting.values()) {
      if (this.send(waiting.frame)) waiting.sends += 1;
    }
  }

  /** Ends what waits under `id`, or everything. */
  abandon(reason: DayflyError, id?: string): void {
    for (const key of id === undefined ? [...this.#waiting.keys()] : [id]) this.#settle(key)?.reject(reason);
    if (id === undefined) clearTimeout(this.#resend);
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}
