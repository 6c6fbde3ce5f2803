/**
 * Keeps watched threads whole: attaches, and attaches again after a reconnect, on a gap, on silence, and while the
 * server says that there is more. An attach that brings nothing new slows the next one down.
 */
import { DayflyError } from "./errors";
import type { Rest } from "./select";

export interface Watched {
  /** Attaches once with the present cursor; `from` where a replay goes on that was cut. */
  readonly attach: (threadId: string, from: string | undefined) => Promise<Rest>;
  /** Number of events of the thread that are here without a gap. */
  readonly have: (threadId: string) => number;
  readonly misses: (threadId: string) => boolean;
  readonly isQuiet: (threadId: string) => boolean;
  readonly onProblem: (error: DayflyError) => void;
}

/** A gap may close by itself: two senders' posts can cross on their way (ms). */
const GRACE = 250;
const LONGEST = 15_000;

interface Thread {
  attaching: Promise<void> | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  fruitless: number;
  /** The run at which a replay that was cut goes on. */
  from: string | undefined;
  /** A connection was lost while a replay went on: runs before `from` may have missed something. */
  stale: boolean;
}

export class Watch {
  readonly #threads = new Map<string, Thread>();

  constructor(private readonly ports: Watched) {}

  /**
   * Watches a thread; done when the attach under way, if any, is answered. `attached`: the server has attached this
   * socket already, as it does on `run`.
   */
  async add(threadId: string, { attached = false } = {}): Promise<void> {
    const known = this.#threads.get(threadId);
    if (known !== undefined) return known.attaching;
    this.#threads.set(threadId, {
      attaching: undefined,
      timer: undefined,
      fruitless: 0,
      from: undefined,
      stale: false,
    });
    if (!attached) await this.#attach(threadId);
  }

  remove(threadId: string): boolean {
    clearTimeout(this.#threads.get(threadId)?.timer);
    return this.#threads.delete(threadId);
  }

  clear(): void {
    for (const threadId of [...this.#threads.keys()]) this.remove(threadId);
  }

  /** After a reconnect: every thread that is not being attached already (its request is sent again anyway). */
  resume(): void {
    for (const [threadId, thread] of this.#threads) {
      thread.stale = thread.attaching !== undefined && thread.from !== undefined;
      if (thread.attaching === undefined) thread.from = undefined;
      void this.#attach(threadId);
    }
  }

  /** To be called after each frame and every second or so. */
  check(): void {
    for (const [threadId, thread] of this.#threads) {
      if (thread.attaching !== undefined || thread.timer !== undefined) continue;
      if (this.ports.isQuiet(threadId)) void this.#attach(threadId);
      else if (this.ports.misses(threadId)) this.#later(threadId, thread);
    }
  }

  #later(threadId: string, thread: Thread): void {
    const delay = Math.min(LONGEST, GRACE * 2 ** thread.fruitless);
    thread.timer = setTimeout(() => {
      thread.timer = undefined;
      if (this.ports.misses(threadId)) void this.#attach(threadId);
    }, delay);
  }

  #attach(threadId: string): Promise<void> {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) return Promise.resolve();
    clearTimeout(thread.timer);
    thread.timer = undefined;
    thread.attaching ??= this.#ask(threadId, thread);
    return thread.attaching;
  }

  async #ask(threadId: string, thread: Thread): Promise<void> {
    const before = this.ports.have(threadId);
    const { from } = thread;
    const watched = () => this.#threads.get(threadId) === thread;
    try {
      const reply = await this.ports.attach(threadId, from);
      thread.attaching = undefined;
      const { stale } = thread;
      thread.stale = false;
      thread.from = reply.more && !stale ? reply.from : undefined;
      const missing = reply.more || stale || this.ports.misses(threadId);
      const grown = this.ports.have(threadId) > before;
      // To have come further is no fruit by itself: a gap that nothing fills would be asked for without a pause.
      const further = stale || (reply.more && reply.from !== from);
      if (grown || !missing) thread.fruitless = 0;
      else if (!further) thread.fruitless += 1;
      if (!watched() || !missing) return;
      if (further || (reply.more && grown)) void this.#attach(threadId);
      else this.#again(threadId, thread);
    } catch (error) {
      thread.attaching = undefined;
      thread.from = undefined;
      thread.stale = false;
      if (!(error instanceof DayflyError)) throw error;
      if (!watched() || error.code === "closed") return;
      thread.fruitless += 1;
      if (error.retryable) this.#again(threadId, thread);
      else this.ports.onProblem(error);
    }
  }

  #again(threadId: string, thread: Thread): void {
    const delay = Math.min(LONGEST, GRACE * 2 ** thread.fruitless);
    thread.timer = setTimeout(() => void this.#attach(threadId), delay);
  }
}
