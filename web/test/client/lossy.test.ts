import { describe, expect, it } from "vitest";
import { stateOf } from "../../src/client/run";
import { misses } from "../../src/client/select";
import { type Bounds, replay } from "./backend";
import { Chance } from "./chance";
import { attached, event, heartbeat, viewOf } from "./frames";
import { type FakeSocket, Harness } from "./harness";
import { type Log, legalLog } from "./legal";

/** A backend whose posts may be lost, over connections that break; its runs go on meanwhile. */
class Lossy {
  readonly #written: { log: Log; count: number }[];
  readonly #bounds: Bounds;
  #socket: FakeSocket | undefined;
  attaches = 0;
  losing = true;

  constructor(
    private readonly chance: Chance,
    logs: readonly Log[],
  ) {
    // All are admitted at once, and run one after the other.
    this.#written = logs.map((log) => ({ log, count: 1 }));
    this.#bounds = { events: 5 + chance.below(40), runs: 2 + chance.below(5), naming: chance.is(0.5) };
  }

  /** The logs as far as they are written. */
  get logs(): Log[] {
    return this.#written.map(({ log, count }) => {
      if (count === log.events.length) return log;
      return { ...log, events: log.events.slice(0, count), status: count === 1 ? "queued" : "running" };
    });
  }

  serve(socket: FakeSocket): void {
    this.#socket = undefined;
    socket.hears = (frame) => {
      if (frame.action !== "attach") return;
      this.attaches += 1;
      const after = (frame.after ?? {}) as Record<string, number>;
      this.#socket = socket;
      const { events, heads, more } = replay(this.logs, after, this.#bounds);
      setTimeout(() => socket.says(...events, attached(String(frame.id), heads, more)), this.chance.below(50));
    };
  }

  /** Writes and posts one event of the run whose turn it is. False: all is written. */
  write(): boolean {
    const next = this.#written.find(({ log, count }) => count < log.events.length);
    if (next === undefined) return false;
    const data = next.log.events[next.count] ?? "";
    next.count += 1;
    // The last event is posted again until it has arrived, or the viewer has left.
    const last = next.count === next.log.events.length;
    if (last || !this.losing || this.chance.is(0.8)) this.#socket?.says(data);
    return true;
  }

  beat(): void {
    for (const { runId, status, events } of this.logs) {
      if (status === "running") this.#socket?.says(heartbeat(events.length, runId));
    }
  }
}

async function simulated(seed: number): Promise<void> {
  const chance = new Chance(seed);
  const logs = Array.from({ length: 1 + chance.below(6) }, (_, index) => legalLog(chance, `r${10 + index}`));
  const harness = new Harness();
  const backend = new Lossy(chance, logs);
  const { client } = harness;
  await harness.online();
  backend.serve(harness.socket);
  void client.follow("t1");
  for (let step = 0; backend.write(); step += 1) {
    await harness.settle(chance.below(120));
    if (step % 20 === 19) backend.beat();
    if (!chance.is(0.05)) continue;
    harness.socket.onclose?.({ code: 1006, reason: "" });
    while (chance.is(0.5)) backend.write();
    while (client.state.name !== "connecting" && client.state.name !== "online") await harness.settle(100);
    backend.serve(harness.socket);
    harness.socket.onopen?.();
  }
  backend.losing = false;
  for (let second = 0; second < 40; second += 5) {
    backend.beat();
    await harness.settle(5_000);
  }
  const asked = backend.attaches;
  for (let second = 0; second < 60; second += 5) {
    backend.beat();
    await harness.settle(5_000);
  }
  expect(backend.attaches, `seed ${seed}`).toBe(asked);
  const expected = viewOf(logs.flatMap(({ events }) => events)).threads.t1?.runs ?? [];
  const seen = client.view.threads.t1?.runs ?? [];
  expect(misses(client.view.threads.t1), `seed ${seed}`).toBe(false);
  expect(
    seen.map(({ summary }) => summary),
    `seed ${seed}`,
  ).toEqual(expected.map(({ summary }) => summary));
  expect(seen.map(stateOf), `seed ${seed}`).toEqual(logs.map(({ status }) => status));
  harness.end();
}

describe("a client whose frames are lost and whose connections break", () => {
  it("sees in the end what the log says, and then asks no more", async () => {
    for (let seed = 0; seed < 60; seed += 1) await simulated(seed);
  });

  it("asks for a gap that nothing fills less and less often, and for all behind it at once", async () => {
    const harness = new Harness();
    const logs = Array.from({ length: 30 }, (_, index) => legalLog(new Chance(index), `r${10 + index}`));
    await harness.online();
    const { socket } = harness;
    let rounds = 0;
    socket.hears = (frame) => {
      const after = (frame.after ?? {}) as Record<string, number>;
      if ("r10" in after) rounds += 1;
      const { events, heads, more } = replay(logs, after, { events: 1_000, runs: 3, naming: false });
      // What is said of the first run never arrives.
      const there = events.filter((data) => !data.includes('"r10"'));
      setTimeout(() => socket.says(...there, attached(String(frame.id), heads, more)), 5);
    };
    socket.says(event("agent_thinking", 3, {}, "r10"));
    void harness.client.follow("t1");
    await harness.settle(200);
    expect(harness.client.view.threads.t1?.runs).toHaveLength(30);
    await harness.settle(60_000);
    rounds = 0;
    await harness.settle(60_000);
    expect(rounds).toBeLessThanOrEqual(5);
    harness.end();
  });
});
