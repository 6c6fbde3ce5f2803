/** The chat client: sends requests, keeps the connection, and reduces what arrives to a `View`. */
import { Connection, type ConnectionOptions, type ConnectionState } from "./connection";
import { DayflyError } from "./errors";
import { parseFrame } from "./parse";
import type { Frame, IfBusy, ReplyOf, Request } from "./protocol";
import { Requests } from "./requests";
import { cursorOf, isQuiet, misses, type Rest, restOf } from "./select";
import { type Action, callKey, NOTHING, reduce, type View } from "./view";
import { Watch } from "./watch";

export interface RunOptions {
  readonly threadId?: string | undefined;
  readonly agent?: string | undefined;
  /** What to do if the thread has a run under way: wait behind it (as by default), be refused, or end it. */
  readonly ifBusy?: IfBusy | undefined;
  /** The idempotency key; sent again with the same content it never runs twice. */
  readonly id?: string | undefined;
}

export interface ClientEvents {
  /** The view or the connection's state is another one now. */
  readonly onChange?: (() => void) | undefined;
  /** Every frame as it arrived, in order; for logs. */
  readonly onFrame?: ((frame: Frame) => void) | undefined;
  /** Something went wrong that no request's promise tells of. */
  readonly onProblem?: ((error: DayflyError) => void) | undefined;
}

/** A running run's heartbeat comes every 5 s; three missed ones mean that something is wrong (ms). */
const SILENCE = 15_000;
/** API Gateway closes a socket that is idle for 10 min; half of it less a margin leaves one ping to be lost (ms). */
const PING_EVERY = 4 * 60_000;
/** A socket that brings nothing for this long (ms) after it was asked something is taken for dead. */
const DEAD_AFTER = 20_000;
const TICK = 1_000;

export class DayflyClient {
  #view: View = NOTHING;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #watch: Watch;
  readonly #followed = new Set<string>();
  readonly #leaving = new Map<string, Promise<void>>();
  #ticker: ReturnType<typeof setInterval> | undefined;
  #sentAt = 0;
  #heardAt = 0;
  /** When the oldest request was sent that nothing has come after. */
  #unansweredSince: number | undefined;

  constructor(
    options: ConnectionOptions,
    private readonly events: ClientEvents = {},
  ) {
    this.#connection = new Connection(options, {
      onState: (state) => this.#onState(state),
      onFrame: (data) => this.#onFrame(data),
    });
    this.#requests = new Requests((frame) => this.#send(frame));
    this.#watch = new Watch({
      attach: (threadId, from) => this.#attach(threadId, from),
      have: (threadId) => (this.#view.threads[threadId]?.runs ?? []).reduce((sum, run) => sum + run.events.length, 0),
      misses: (threadId) => misses(this.#view.threads[threadId]),
      isQuiet: (threadId) => isQuiet(this.#view.threads[threadId], performance.now(), SILENCE),
      onProblem: (error) => this.events.onProblem?.(error),
    });
  }

  get view(): View {
    return this.#view;
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  connect(): void {
    this.#ticker ??= setInterval(() => this.#tick(), TICK);
    this.#connection.open();
  }

  close(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#watch.clear();
    this.#followed.clear();
    this.#requests.abandon(new DayflyError("closed", "The client was closed."));
    this.#connection.close();
  }

  /** Tries to connect now: the network is back, or the user asks for it. */
  hurry(): void {
    this.#connection.hurry();
  }

  /**
   * Runs a message. The view shows it at once; the thread is watched from then on. Raises `DayflyError`.
   *
   * `text` must be at most `MAX_TEXT_BYTES` as a JSON string; else `text_too_long` is raised and nothing is sent.
   */
  async run(text: string, options: RunOptions = {}): Promise<ReplyOf<"accepted">> {
    const { threadId, agent, ifBusy, id = newId() } = options;
    const request: Request = { action: "run", text, thread_id: threadId, agent, if_busy: ifBusy };
    const reply = this.#ask(request, id);
    this.#reduce({ type: "sent", requestId: id, text, threadId, ifBusy });
    try {
      return await reply;
    } catch (error) {
      if (error instanceof DayflyError) {
        const { code, message, retryable } = error;
        this.#reduce({ type: "refused", error: { id, code, message, retryable } });
      }
      throw error;
    }
  }

  /** Takes a refused message out of the view. */
  withdraw(requestId: string): void {
    this.#requests.abandon(new DayflyError("closed", "The message was withdrawn."), requestId);
    this.#reduce({ type: "withdrawn", requestId });
  }

  /** Asks for a run's end; the run's own last event says how it ended. */
  cancel(target: { readonly runId: string } | { readonly requestId: string }): Promise<ReplyOf<"cancelling">> {
    if ("runId" in target) return this.#ask({ action: "cancel", run_id: target.runId }, newId());
    return this.#ask({ action: "cancel", request_id: target.requestId }, newId());
  }

  /**
   * Answers a call that waits for approval; the run's events say what comes of it. Raises `DayflyError`:
   * `approval_closed` where another answer, or the call's expiry, came first.
   */
  async approve(runId: string, toolCallId: string, approved: boolean, reason?: string): Promise<ReplyOf<"approved">> {
    const key = callKey(runId, toolCallId);
    this.#reduce({ type: "answer", key, answer: { approved, state: "sending" } });
    try {
      const request = { action: "approve", run_id: runId, tool_call_id: toolCallId, approved, reason } as const;
      const reply = await this.#ask(request, newId());
      this.#reduce({ type: "answer", key, answer: { approved, state: "taken" } });
      return reply;
    } catch (error) {
      const closed = error instanceof DayflyError && error.code === "approval_closed";
      this.#reduce({ type: "answer", key, answer: closed ? { approved, state: "closed" } : undefined });
      throw error;
    }
  }

  rename(threadId: string, title: string): Promise<ReplyOf<"renamed">> {
    return this.#ask({ action: "rename", thread_id: threadId, title }, newId());
  }

  /** Deletes a thread on all devices: it leaves the view, and what still comes of its runs is dropped. */
  async forget(threadId: string): Promise<void> {
    try {
      await this.#ask({ action: "forget", thread_id: threadId }, newId());
    } catch (error) {
      // Sent again after a reconnect, or forgotten by another device: it is gone, which is what was asked for.
      if (!(error instanceof DayflyError) || error.code !== "thread_not_found") throw error;
    }
  }

  /**
   * Follows a thread until `leave`, through reconnects and gaps. Done when the attach under way is answered: what
   * `history` gives from then on misses nothing that the runs do not show.
   */
  async follow(threadId: string): Promise<void> {
    if (Object.hasOwn(this.#view.gone, threadId)) return;
    this.#followed.add(threadId);
    // Frames of one socket are handled concurrently: an attach must not overtake the detach before it.
    const leaving = this.#leaving.get(threadId);
    if (leaving !== undefined) await leaving;
    if (this.#followed.has(threadId)) await this.#watch.add(threadId);
  }

  /** Stops following; what is known of the thread stays in the view, and `follow` goes on from there. */
  leave(threadId: string): void {
    if (!this.#followed.delete(threadId)) return;
    this.#watch.remove(threadId);
    if (this.state.name !== "online" || this.#leaving.has(threadId)) return;
    const done = () => void this.#leaving.delete(threadId);
    this.#leaving.set(threadId, this.#ask({ action: "detach", thread_id: threadId }, newId()).then(done, done));
  }

  /** Reads the newest threads into the view's list, or the page after `cursor`. */
  async threads(cursor?: string): Promise<ReplyOf<"threads">> {
    const asked = this.#view.list;
    const page = await this.#ask({ action: "threads", cursor }, newId());
    const all = cursor === undefined && !page.cursor;
    if (all) this.#reduce({ type: "all", page, asked });
    return page;
  }

  /** Reads a thread's newest messages into the view, or the page `before` those that are there. */
  async history(threadId: string, before?: string): Promise<ReplyOf<"history">> {
    const page = await this.#ask({ action: "history", thread_id: threadId, before }, newId());
    this.#reduce({ type: "page", page, older: before !== undefined });
    return page;
  }

  ping(): Promise<ReplyOf<"pong">> {
    return this.#ask({ action: "ping" }, newId());
  }

  // ---- inside -------------------------------------------------------------------------------------------------------

  // An async function, so that a frame that is too large is a rejection like any other refusal.
  async #ask<R extends Request>(request: R, id: string) {
    try {
      return await this.#requests.ask(request, id);
    } catch (error) {
      const threadId = "thread_id" in request ? request.thread_id : undefined;
      const unknown = error instanceof DayflyError && error.code === "thread_not_found";
      if (unknown && threadId !== undefined) this.#reduce({ type: "gone", threadId });
      throw error;
    }
  }

  async #attach(threadId: string, from: string | undefined): Promise<Rest> {
    this.#reduce({ type: "attaching", threadId, at: performance.now() });
    const after = cursorOf(this.#view.threads[threadId], from);
    const named = Object.keys(after).length > 0;
    const request = { action: "attach", thread_id: threadId, ...(named ? { after } : {}) } as const;
    return restOf(await this.#ask(request, newId()), after, from);
  }

  #send(frame: string): boolean {
    if (!this.#connection.send(frame)) return false;
    this.#sentAt = performance.now();
    this.#unansweredSince ??= this.#sentAt;
    return true;
  }

  #onState(state: ConnectionState): void {
    this.#unansweredSince = undefined;
    if (state.name === "online") {
      this.#heardAt = performance.now();
      this.#requests.again();
      this.#watch.resume();
    }
    this.events.onChange?.();
  }

  #onFrame(data: unknown): void {
    this.#heardAt = performance.now();
    this.#unansweredSince = undefined;
    const frame = parseFrame(data);
    this.events.onFrame?.(frame);
    switch (frame.kind) {
      case "reply": {
        // A second copy of an answer says nothing new; `accepted` and `attached` still name runs and their heads.
        const { reply } = frame;
        const expected = this.#requests.answer(reply);
        if (expected && reply.type === "accepted") this.#attachedByRun(reply.thread_id);
        if (expected || reply.type === "accepted" || reply.type === "attached") this.#take(frame);
        break;
      }
      case "error":
        this.#take(frame);
        if (!this.#requests.refuse(frame.error)) {
          const { code, message, retryable } = frame.error;
          this.events.onProblem?.(new DayflyError(code, message, retryable));
        }
        break;
      case "gateway":
        this.#requests.stumble(frame.error);
        this.events.onProblem?.(new DayflyError("gateway", frame.error.message, true));
        break;
      case "notice":
        this.#take(frame);
        if (frame.notice.type === "reconnect_soon") this.#connection.replace("The server asked to connect again.");
        if (frame.notice.type === "auth_expired") this.#connection.replace("The session has expired.");
        break;
      case "event": {
        const { event } = frame;
        const requestId = event.type === "user_message" ? event.payload.request_id : undefined;
        // It may come before `accepted`, and says the same: this socket is attached to the new run's thread.
        if (requestId && this.#view.sent[requestId]?.run === undefined && this.#requests.waits(requestId)) {
          this.#attachedByRun(event.thread_id);
        }
        this.#take(frame);
        break;
      }
      case "malformed":
        this.events.onProblem?.(new DayflyError("malformed", frame.reason));
        break;
      case "ignored":
        break;
    }
    this.#watch.check();
  }

  #attachedByRun(threadId: string): void {
    if (Object.hasOwn(this.#view.gone, threadId)) return;
    this.#followed.add(threadId);
    // Of a thread that was left, other runs may be here in part, or may have come and gone meanwhile.
    const attached = (this.#view.threads[threadId]?.runs ?? []).length === 0;
    void this.#watch.add(threadId, { attached });
  }

  #take(frame: Frame): void {
    this.#reduce({ type: "frame", frame, at: this.#heardAt });
  }

  #reduce(action: Action): void {
    const before = this.#view;
    this.#view = reduce(before, action);
    if (this.#view.gone !== before.gone) this.#unfollow();
    if (this.#view !== before) this.events.onChange?.();
  }

  #unfollow(): void {
    for (const threadId of [...this.#followed].filter((followed) => Object.hasOwn(this.#view.gone, followed))) {
      this.#followed.delete(threadId);
      this.#watch.remove(threadId);
    }
  }

  #tick(): void {
    if (this.state.name !== "online") return;
    const now = performance.now();
    if (this.#unansweredSince !== undefined && now - this.#unansweredSince >= DEAD_AFTER) {
      this.#connection.replace("The server stopped answering.");
      return;
    }
    if (now - Math.max(this.#sentAt, this.#heardAt) >= PING_EVERY) {
      // The ping is only there to be answered: a lost one shows as a dead connection.
      this.ping().catch(() => undefined);
    }
    this.#watch.check();
  }
}

/** A request id that no other request has: 32 of the 64 letters that are allowed. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
