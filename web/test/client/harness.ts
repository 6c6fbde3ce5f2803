/** A client over sockets that the test holds the other end of, in virtual time. */
import { expect, vi } from "vitest";
import { DayflyClient } from "../../src/client/client";
import type { Socket } from "../../src/client/connection";
import type { DayflyError } from "../../src/client/errors";

export class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  /** Called with each frame that the client sends. */
  hears: ((frame: Record<string, unknown>) => void) | undefined;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  send(data: string): void {
    const frame = JSON.parse(data) as Record<string, unknown>;
    this.sent.push(frame);
    this.hears?.(frame);
  }

  close(): void {
    this.closed = true;
  }

  says(...frames: string[]): void {
    for (const data of frames) this.onmessage?.({ data });
  }

  of(action: string): Record<string, unknown>[] {
    return this.sent.filter((frame) => frame.action === action);
  }
}

export class Harness {
  readonly client: DayflyClient;
  readonly sockets: FakeSocket[] = [];
  readonly problems: DayflyError[] = [];

  constructor() {
    vi.useFakeTimers();
    let tokens = 0;
    this.client = new DayflyClient(
      {
        url: "ws://host/live",
        token: async () => `token-${++tokens}`,
        open: (url, protocols) => {
          this.sockets.push(new FakeSocket(url, protocols));
          return this.socket;
        },
        random: () => 0.5,
      },
      { onProblem: (problem) => this.problems.push(problem) },
    );
  }

  /** The newest one. */
  get socket(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }

  lastId(action: string): string {
    return String(this.socket.of(action).at(-1)?.id);
  }

  async settle(milliseconds = 0): Promise<void> {
    await vi.advanceTimersByTimeAsync(milliseconds);
  }

  async online(): Promise<void> {
    this.client.connect();
    await this.settle();
    this.socket.onopen?.();
    await this.settle();
  }

  /** Loses the connection and waits for the next one. */
  async reconnect(): Promise<void> {
    this.socket.onclose?.({ code: 1006, reason: "" });
    await this.settle(250);
    this.socket.onopen?.();
    await this.settle();
  }

  /** Closes the client, which must leave no timer behind. */
  end(): void {
    this.client.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  }
}
