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
  attaching: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  fruitless: number;
}

export class Watch {
  readonly #threads = new Map<string, Thread>();

  constructor(private readonly ports: Watched) {}

  /**
   * Watches a thread; done when the first attach is answered. `attached`: the server has attached this socket already,
   * as it does on `run`.
   */
  async add(threadId: string, { attached = false } = {}): Promise<void> {
    if (this.#threads.has(threadId)) return;
    this.#threads.set(threadId, { attaching: false, timer: undefined, fruitless: 0 });
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
      if (thread.attaching || thread.timer !== undefined) continue;
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

  async #attach(threadId: string): Promise<void> {
    const thread = this.#threads.get(threadId);
    if (thread === undefined || thread.attaching) return;
    clearTimeout(thread.timer);
    thread.timer = undefined;
    thread.attaching = true;
    const before = this.ports.have(threadId);
    try {
      const { more } = await this.ports.attach(threadId);
      thread.fruitless = this.ports.have(threadId) > before ? 0 : thread.fruitless + 1;
      thread.attaching = false;
      if (!this.#threads.has(threadId)) return;
      if (more && thread.fruitless === 0) void this.#attach(threadId);
      else if (more || this.ports.misses(threadId)) this.#again(threadId, thread);
      else thread.fruitless = 0;
    } catch (error) {
      thread.attaching = false;
      if (!(error instanceof DayflyError)) throw error;
      if (!this.#threads.has(threadId) || error.code === "closed") return;
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
