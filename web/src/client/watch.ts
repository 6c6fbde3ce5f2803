/**
 * Keeps watched threads whole: attaches, and attaches again after a reconnect, on a gap, on silence, and while the
 * server says that there is more. An attach that brings nothing new slows the next one down.
 */
import { DayflyError } from "./errors";
import type { ReplyOf } from "./protocol";

export interface Watched {
  /** Attaches once with the present cursor and gives the server's answer. */
  readonly attach: (threadId: string) => Promise<ReplyOf<"attached">>;
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
}

export class Watch {
  readonly #threads = new Map<string, Thread>();

  constructor(private readonly ports: Watched) {}

  /**
   * Watches a thread; done when the attach under way, if any, is answered. `attached`: the server has attached this socket already,
   * as it does on `run`.
   */
  async add(threadId: string, { attached = false } = {}): Promise<void> {
    const known = this.#threads.get(threadId);
    if (known !== undefined) return known.attaching;
    this.#threads.set(threadId, { attaching: undefined, timer: undefined, fruitless: 0 });
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
    for (const threadId of this.#threads.keys()) void this.#attach(threadId);
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
    const watched = () => this.#threads.get(threadId) === thread;
    try {
      const { more } = await this.ports.attach(threadId);
      thread.attaching = undefined;
      const missing = more || this.ports.misses(threadId);
      const fruitful = this.ports.have(threadId) > before;
      thread.fruitless = fruitful || !missing ? 0 : thread.fruitless + 1;
      if (!watched() || !missing) return;
      if (more && fruitful) void this.#attach(threadId);
      else this.#again(threadId, thread);
    } catch (error) {
      thread.attaching = undefined;
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
