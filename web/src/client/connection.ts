/** One WebSocket at a time, kept open: token, subprotocols, and reconnecting with jittered backoff. */
import { SUBPROTOCOL } from "./protocol";

export type ConnectionState =
  | { readonly name: "closed" }
  | { readonly name: "connecting"; readonly attempt: number }
  | { readonly name: "online" }
  | { readonly name: "waiting"; readonly attempt: number; readonly reason: string };

/** What is used of a WebSocket. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export interface ConnectionOptions {
  /** `ws://…` or `wss://…`, stage included. */
  readonly url: string;
  /** Called before each attempt, so that a token is never older than its connection. */
  readonly token: () => Promise<string>;
  readonly open?: ((url: string, protocols: string[]) => Socket) | undefined;
  /** A number in [0, 1). */
  readonly random?: (() => number) | undefined;
}

export interface ConnectionEvents {
  readonly onState: (state: ConnectionState) => void;
  readonly onFrame: (data: unknown) => void;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
/** A connection that held this long (ms) makes the next attempt a first one again. */
const STEADY = 5_000;
/** A handshake that is not answered within this time (ms) is given up: the integration behind it ends at 29 s. */
const HANDSHAKE = 32_000;

export class Connection {
  #state: ConnectionState = { name: "closed" };
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #openedAt = 0;
  /** Counts attempts ever made: what a former attempt still reports is dropped. */
  #round = 0;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly events: ConnectionEvents,
  ) {}

  get state(): ConnectionState {
    return this.#state;
  }

  open(): void {
    if (this.#state.name === "closed") void this.#try();
  }

  close(): void {
    this.#drop();
    this.#attempt = 0;
    this.#become({ name: "closed" });
  }

  /** Tries again now instead of at the end of the delay. */
  hurry(): void {
    if (this.#state.name === "waiting") void this.#try();
  }

  /** Gives up the present socket, which may be dead without knowing it, and opens another. */
  replace(reason: string): void {
    if (this.#state.name === "online") this.#retry(reason);
  }

  /** Sends when online, else says false: whoever asks sends again once there is a connection. */
  send(frame: string): boolean {
    if (this.#state.name !== "online" || this.#socket === undefined) return false;
    this.#socket.send(frame);
    return true;
  }

  async #try(): Promise<void> {
    this.#drop();
    const round = this.#round;
    this.#become({ name: "connecting", attempt: this.#attempt });
    let token: string;
    try {
      token = await this.options.token();
    } catch (error) {
      if (round === this.#round) this.#retry(error instanceof Error ? error.message : "no token");
      return;
    }
    if (round !== this.#round) return;
    const open = this.options.open ?? ((url, protocols) => new WebSocket(url, protocols) as Socket);
    const socket = open(this.options.url, [SUBPROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#retry("The server did not answer."), HANDSHAKE);
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#openedAt = performance.now();
      this.#become({ name: "online" });
    };
    socket.onmessage = ({ data }) => this.events.onFrame(data);
    socket.onclose = ({ code, reason }) => this.#retry(reason || `The connection was closed (${code}).`);
  }

  #retry(reason: string): void {
    if (this.#state.name === "online" && performance.now() - this.#openedAt >= STEADY) this.#attempt = 0;
    this.#drop();
    // Full jitter: after an outage the clients come back spread out, not in step.
    // https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt);
    const delay = (this.options.random ?? Math.random)() * ceiling;
    this.#attempt += 1;
    this.#timer = setTimeout(() => void this.#try(), delay);
    this.#become({ name: "waiting", attempt: this.#attempt, reason });
  }

  #drop(): void {
    this.#round += 1;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close(1000);
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.events.onState(state);
  }
}
