import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DayflyClient } from "../../src/client/client";
import { MAX_TEXT_BYTES, textBytes } from "../../src/client/limits";
import { answerOf } from "../../src/client/summary";
import { accepted, attached, event, heartbeat } from "./frames";
import { Harness } from "./harness";

let harness: Harness;
let client: DayflyClient;

const socket = () => harness.socket;
const lastId = (action: string) => harness.lastId(action);
const settle = (milliseconds?: number) => harness.settle(milliseconds);
const online = () => harness.online();

beforeEach(() => {
  harness = new Harness();
  client = harness.client;
});

afterEach(() => harness.end());

describe("connecting", () => {
  it("offers the protocol and the token as subprotocols, none of it in the address", async () => {
    await online();
    expect(socket().url).toBe("ws://host/live");
    expect(socket().protocols).toEqual(["dayfly.v1", "bearer.token-1"]);
  });

  it("comes back after a close, later each time, with a new token", async () => {
    await online();
    for (const [attempt, delay] of [250, 500, 1_000].entries()) {
      socket().onclose?.({ code: 1006, reason: "" });
      expect(client.state).toMatchObject({ name: "waiting" });
      await settle(delay - 1);
      expect(harness.sockets).toHaveLength(attempt + 1);
      await settle(1);
      expect(harness.sockets).toHaveLength(attempt + 2);
    }
    expect(socket().protocols).toEqual(["dayfly.v1", "bearer.token-4"]);
  });

  it("begins with the shortest delay again after a connection that held", async () => {
    await online();
    socket().onclose?.({ code: 1006, reason: "" });
    await settle(250);
    socket().onopen?.();
    await settle(6_000);
    socket().onclose?.({ code: 1001, reason: "Going away" });
    expect(client.state).toMatchObject({ name: "waiting", attempt: 1, reason: "Going away" });
  });

  it("stays closed once it was closed", async () => {
    await online();
    client.close();
    await settle(60_000);
    expect(socket().closed).toBe(true);
    expect(harness.sockets).toHaveLength(1);
  });

  it("pings a quiet connection within the 10 minutes of API Gateway, and not a lively one", async () => {
    await online();
    await settle(235_000);
    socket().says(heartbeat(0, "r9", "t9"));
    await settle(235_000);
    expect(socket().of("ping")).toHaveLength(0);
    await settle(6_000);
    expect(socket().of("ping")).toHaveLength(1);
  });

  it("replaces a connection that no longer answers", async () => {
    await online();
    client.ping().catch(() => undefined);
    await settle(21_000);
    expect(harness.sockets.length).toBeGreaterThan(1);
    expect(harness.sockets[0]?.closed).toBe(true);
  });

  it("goes on with another connection when the server says reconnect_soon", async () => {
    await online();
    socket().says('{"type": "reconnect_soon"}');
    await settle(250);
    expect(harness.sockets).toHaveLength(2);
  });
});

describe("requests", () => {
  it("are answered by the reply with their id and type", async () => {
    await online();
    const reply = client.ping();
    const id = lastId("ping");
    socket().says(
      '{"type": "pong", "id": "other", "server_time": "x"}',
      `{"type": "detached", "id": "${id}", "thread_id": "t1"}`,
    );
    socket().says(`{"type": "pong", "id": "${id}", "server_time": "now"}`);
    await expect(reply).resolves.toMatchObject({ server_time: "now" });
  });

  it("are rejected with the server's code", async () => {
    await online();
    const reply = client.run("Hi");
    socket().says(JSON.stringify({ type: "error", id: lastId("run"), code: "busy", message: "No", retryable: true }));
    await expect(reply).rejects.toMatchObject({ code: "busy", retryable: true });
    expect(Object.values(client.view.sent)[0]).toMatchObject({ error: { code: "busy" } });
  });

  it("go out again under the same id after a reconnect", async () => {
    await online();
    const reply = client.run("Hi");
    const first = socket().of("run");
    socket().onclose?.({ code: 1006, reason: "" });
    await settle(250);
    socket().onopen?.();
    expect(socket().of("run")).toEqual(first);
    socket().says(accepted(lastId("run")));
    await expect(reply).resolves.toMatchObject({ run_id: "r1" });
  });

  it("wait for the connection when there is none", async () => {
    client.connect();
    const reply = client.run("Hi");
    await settle();
    socket().onopen?.();
    expect(socket().of("run")).toHaveLength(1);
    socket().says(accepted(lastId("run")));
    await reply;
  });

  it("end with no_reply when nothing ever answers", async () => {
    client.connect();
    const reply = client.run("Hi");
    const refused = expect(reply).rejects.toMatchObject({ code: "no_reply", retryable: true });
    await settle(60_000);
    await refused;
  });

  it("are repeated after an error of the gateway itself, three times at most", async () => {
    await online();
    const reply = client.run("Hi");
    const refused = expect(reply).rejects.toMatchObject({ code: "gateway" });
    for (let i = 0; i < 3; i += 1) {
      expect(socket().of("run")).toHaveLength(i + 1);
      socket().says('{"message": "Internal server error", "connectionId": "c", "requestId": "q"}');
      await settle(1_000);
    }
    await refused;
    expect(socket().of("run")).toHaveLength(3);
  });

  it("that are too large are refused before anything is sent", async () => {
    await online();
    const longest = "é".repeat((MAX_TEXT_BYTES - 2) / 2);
    expect(textBytes(longest)).toBe(MAX_TEXT_BYTES);
    await expect(client.run(`${longest}e`)).rejects.toMatchObject({ code: "text_too_long" });
    await expect(client.history("t".repeat(33_000))).rejects.toMatchObject({ code: "frame_too_large" });
    expect(socket().sent).toEqual([]);
    void client.run(longest).catch(() => undefined);
    expect(socket().of("run")).toHaveLength(1);
  });
});

describe("following a thread", () => {
  const started = [event("user_message", 1), event("agent_started", 2), event("agent_thinking", 3)];

  /** A run that this client asked for and saw begin. */
  async function running(): Promise<void> {
    await online();
    const reply = client.run("Hi");
    socket().says(accepted(lastId("run")), ...started);
    await reply;
  }

  it("does not attach for a run of its own, which the server has attached already", async () => {
    await running();
    await settle(5_000);
    expect(socket().of("attach")).toHaveLength(0);
  });

  it("knows by its own user_message that it is attached, before accepted comes", async () => {
    await online();
    const reply = client.run("Hi", { id: "q1" });
    socket().says(event("user_message", 1));
    await client.follow("t1");
    socket().says(accepted("q1"));
    await reply;
    expect(socket().sent.map(({ action }) => action)).toEqual(["run"]);
  });

  it("attaches with the cursor after a reconnect and goes on without a gap or a double", async () => {
    await running();
    socket().onclose?.({ code: 1006, reason: "" });
    await settle(250);
    socket().onopen?.();
    expect(socket().of("attach")).toMatchObject([{ thread_id: "t1", after: { r1: 3 } }]);
    const live = event("agent_delta", 5, { text: "B" });
    socket().says(live, event("agent_delta", 4, { text: "A" }), live);
    socket().says(attached(lastId("attach"), [{ run_id: "r1", status: "running", seq: 5 }]));
    await settle(1_000);
    const run = client.view.threads.t1?.runs[0];
    expect(run && answerOf(run.summary)).toBe("AB");
    expect(socket().of("attach")).toHaveLength(1);
  });

  it("attaches again on a gap that stays, and not on one that closes by itself", async () => {
    await running();
    socket().says(event("agent_delta", 5));
    await settle(100);
    socket().says(event("agent_delta", 4));
    await settle(5_000);
    expect(socket().of("attach")).toHaveLength(0);
    socket().says(heartbeat(6));
    await settle(250);
    expect(socket().of("attach")).toMatchObject([{ after: { r1: 5 } }]);
  });

  it("attaches again after 15 s of silence in a running run", async () => {
    await running();
    await settle(14_000);
    expect(socket().of("attach")).toHaveLength(0);
    await settle(2_000);
    expect(socket().of("attach")).toHaveLength(1);
  });

  it("attaches with new cursors while there is more", async () => {
    await online();
    void client.follow("t1");
    expect(socket().of("attach")).toEqual([expect.not.objectContaining({ after: expect.anything() })]);
    socket().says(...started, attached(lastId("attach"), [{ run_id: "r1", status: "running", seq: 4 }], true));
    await settle();
    expect(socket().of("attach")).toHaveLength(2);
    expect(socket().of("attach")[1]).toMatchObject({ after: { r1: 3 } });
    socket().says(event("agent_delta", 4));
    socket().says(attached(lastId("attach"), [{ run_id: "r1", status: "running", seq: 4 }]));
    await settle(1_000);
    expect(socket().of("attach")).toHaveLength(2);
  });

  it("begins anew when the connection was lost while a cut replay went on", async () => {
    await running();
    socket().says(event("user_message", 1, {}, "r2"), heartbeat(4));
    await settle(250);
    const heads = ["r1", "r2"].map((run_id) => ({ run_id, status: "running", seq: run_id === "r1" ? 3 : 1 }));
    socket().says(attached(lastId("attach"), heads, true));
    await settle();
    expect(socket().of("attach")[1]).toMatchObject({ after: { r2: 1 } });
    expect(socket().of("attach")[1]).not.toMatchObject({ after: { r1: 3 } });
    await harness.reconnect();
    // What the server is asked again goes on at r2, and what r1 said meanwhile is not in the answer.
    socket().says(attached(lastId("attach"), [{ run_id: "r2", status: "running", seq: 1 }]));
    await settle();
    expect(socket().of("attach")[1]).toMatchObject({ after: { r1: 3, r2: 1 } });
  });

  it("slows down when attaching brings nothing", async () => {
    await online();
    void client.follow("t1");
    for (let second = 0; second < 60; second += 1) {
      socket().says(attached(lastId("attach"), [{ run_id: "r1", status: "running", seq: 9 }], true));
      await settle(1_000);
    }
    expect(socket().of("attach").length).toBeLessThan(12);
  });

  it("tells of a thread that cannot be attached and does not ask again", async () => {
    await online();
    void client.follow("t1");
    socket().says(
      JSON.stringify({ type: "error", id: lastId("attach"), code: "not_found", message: "Unknown", retryable: false }),
    );
    await settle(60_000);
    expect(harness.problems).toMatchObject([{ code: "not_found" }]);
    expect(socket().of("attach")).toHaveLength(1);
  });

  it("lets no attach overtake the detach before it", async () => {
    await online();
    void client.follow("t1");
    socket().says(attached(lastId("attach")));
    await settle();
    client.leave("t1");
    void client.follow("t1");
    expect(socket().sent.map(({ action }) => action)).toEqual(["attach", "detach"]);
    socket().says(JSON.stringify({ type: "detached", id: lastId("detach"), thread_id: "t1" }));
    await settle();
    expect(socket().sent.map(({ action }) => action)).toEqual(["attach", "detach", "attach"]);
  });

  it("goes on after a frame that cannot be read", async () => {
    await running();
    socket().says("{", event("agent_delta", 4, { text: "on" }));
    expect(harness.problems).toMatchObject([{ code: "malformed" }]);
    expect(client.view.threads.t1?.runs[0]?.events).toHaveLength(4);
  });
});
