/** One user's session: the client, which thread is open, and what the page shows beside them. */
import {
  activeRun,
  type ConnectionState,
  DayflyClient,
  DayflyError,
  type Frame,
  type IfBusy,
  isOver,
  newId,
  type RunOptions,
  type RunView,
  type Sent,
  stateOf,
  type ThreadView,
} from "../client";
import { agentName, developmentToken, serverUrl } from "./config";
import { type Entry, logged } from "./log";

/** Time in which changes of the list of threads are gathered into one question (ms). */
const GATHER = 300;

export class Session {
  readonly client: DayflyClient;
  readonly #agent = agentName(location);
  /** A message that opens a new thread, until its thread is known. */
  opening: string | undefined;
  log: readonly Entry[] = [];
  problem: { readonly code: string; readonly message: string } | undefined;
  /** Runs that were asked to end, until they have. */
  readonly stopping = new Set<string>();
  #listeners = new Set<() => void>();
  #online = false;
  #refresh: ReturnType<typeof setTimeout> | undefined;
  /** Threads whose history was asked for. */
  readonly #read = new Set<string>();

  constructor(
    readonly user: string,
    public threadId: string | undefined,
  ) {
    this.client = new DayflyClient(
      { url: serverUrl(location), token: () => developmentToken(user) },
      {
        onChange: () => this.#changed(),
        onFrame: (frame) => this.#onFrame(frame),
        onProblem: (error) => this.#complain(error),
      },
    );
  }

  get connection(): ConnectionState {
    return this.client.state;
  }

  get thread(): ThreadView | undefined {
    return this.threadId === undefined ? undefined : this.client.view.threads[this.threadId];
  }

  /** True when the open thread was forgotten, here or on another device, or never was. */
  get gone(): boolean {
    return this.threadId !== undefined && Object.hasOwn(this.client.view.gone, this.threadId);
  }

  get active(): RunView | undefined {
    return activeRun(this.thread);
  }

  /** Messages that stand in the open thread without a run of their own yet. */
  get unsettled(): readonly Sent[] {
    return Object.values(this.client.view.sent).filter(
      (sent) =>
        sent.run === undefined &&
        (sent.requestId === this.opening || (sent.threadId !== undefined && sent.threadId === this.threadId)),
    );
  }

  start(): void {
    this.client.connect();
    this.refreshThreads();
    this.open(this.threadId);
  }

  end(): void {
    clearTimeout(this.#refresh);
    this.client.close();
    this.#listeners.clear();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Opens a thread, or with `undefined` an empty page for a new one. */
  open(threadId: string | undefined): void {
    this.problem = undefined;
    this.opening = undefined;
    if (threadId !== this.threadId && this.threadId !== undefined) this.client.leave(this.threadId);
    this.threadId = threadId;
    if (threadId !== undefined) void this.#load(threadId);
    this.#notify();
  }

  send(text: string, ifBusy?: IfBusy): void {
    const id = newId();
    if (this.threadId === undefined) this.opening = id;
    this.#run(text, { threadId: this.threadId, ifBusy, id });
  }

  /** Sends a refused message once more: with the same id and content, so that whatever became of it, it runs once. */
  again({ text, threadId, ifBusy, requestId }: Sent): void {
    this.client.withdraw(requestId);
    if (threadId === undefined) this.opening = requestId;
    this.#run(text, { threadId, ifBusy, id: requestId });
  }

  #run(text: string, options: RunOptions): void {
    this.problem = undefined;
    this.client
      .run(text, { ...options, agent: this.#agent })
      .then(() => this.refreshThreads())
      .catch(() => undefined); // the refusal stands beside the message
  }

  async stop(run: RunView): Promise<void> {
    this.stopping.add(run.runId);
    this.#notify();
    try {
      await this.client.cancel({ runId: run.runId });
    } catch (error) {
      this.stopping.delete(run.runId);
      this.#complain(error);
    }
  }

  async answer(runId: string, callId: string, approved: boolean, reason: string): Promise<void> {
    try {
      await this.client.approve(runId, callId, approved, reason.trim() || undefined);
    } catch (error) {
      // That it came too late is said where it was given.
      if (!(error instanceof DayflyError) || error.code !== "approval_closed") this.#complain(error);
    }
  }

  async rename(threadId: string, title: string): Promise<void> {
    try {
      await this.client.rename(threadId, title);
    } catch (error) {
      this.#complain(error);
    }
  }

  async forget(threadId: string): Promise<void> {
    try {
      await this.client.forget(threadId);
    } catch (error) {
      this.#complain(error);
    }
  }

  async older(): Promise<void> {
    const thread = this.thread;
    if (thread?.before === undefined) return;
    try {
      await this.client.history(thread.threadId, thread.before);
    } catch (error) {
      this.#complain(error);
    }
  }

  async moreThreads(): Promise<void> {
    try {
      await this.client.threads(this.client.view.listCursor);
    } catch (error) {
      this.#complain(error);
    }
  }

  refreshThreads(): void {
    clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => {
      this.client.threads().catch((error) => this.#complain(error));
    }, GATHER);
  }

  dismiss(): void {
    this.problem = undefined;
    this.#notify();
  }

  async #load(threadId: string): Promise<void> {
    await this.client.follow(threadId);
    if (this.threadId === threadId && !this.gone) await this.#readHistory(threadId);
  }

  /**
   * Reads the newest messages, unless what was read before is still whole: with a run in the view there is a cursor,
   * so that attaching brings all that came after; without one, turns that began and ended meanwhile are only here.
   */
  async #readHistory(threadId: string): Promise<void> {
    const thread = this.client.view.threads[threadId];
    if (this.#read.has(threadId) && (thread?.runs.length ?? 0) > 0) return;
    this.#read.add(threadId);
    try {
      await this.client.history(threadId);
    } catch (error) {
      this.#read.delete(threadId);
      if (this.threadId === threadId) this.#complain(error);
    }
  }

  #onFrame(frame: Frame): void {
    this.log = logged(this.log, frame, new Date());
    const over = ["agent_completed", "agent_error", "agent_cancelled"];
    if (frame.kind === "event" && over.includes(frame.event.type)) this.refreshThreads();
    this.#notify();
  }

  #changed(): void {
    const run = this.opening === undefined ? undefined : this.client.view.sent[this.opening]?.run;
    if (run !== undefined) {
      this.opening = undefined;
      this.threadId = run.threadId;
      // The thread is new: all of it is in its run.
      this.#read.add(run.threadId);
      void this.client.follow(run.threadId);
    }
    const online = this.client.state.name === "online";
    if (online && !this.#online && this.threadId !== undefined && this.#read.has(this.threadId)) {
      this.refreshThreads();
      void this.#load(this.threadId);
    }
    this.#online = online;
    const over = (this.thread?.runs ?? []).filter((run) => isOver(stateOf(run)));
    for (const { runId } of over) this.stopping.delete(runId);
    this.#notify();
  }

  #complain(error: unknown): void {
    if (!(error instanceof DayflyError)) throw error;
    // That a thread is gone is said in its place.
    if (error.code === "closed" || error.code === "thread_not_found") return;
    this.problem = { code: error.code, message: error.message };
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
