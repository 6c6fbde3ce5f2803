import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callKey } from "../../src/client/view";
import { accepted, attached, event, threadChanged } from "./frames";
import { Harness } from "./harness";

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

afterEach(() => harness.end());

const refusal = (action: string, code: string, retryable = false) =>
  JSON.stringify({ type: "error", id: harness.lastId(action), code, message: "No", retryable });

const started = [event("user_message", 1), event("agent_started", 2)];

/** A followed thread with a run under way. */
async function followed(...more: string[]): Promise<void> {
  await harness.online();
  void harness.client.follow("t1");
  const { socket } = harness;
  socket.says(...started, ...more, attached(harness.lastId("attach"), [{ run_id: "r1", status: "running", seq: 2 }]));
  await harness.settle();
}

describe("a message to a busy thread", () => {
  it("says what shall become of it, and waits by default", async () => {
    await followed();
    const { client, socket } = harness;
    void client.run("next", { threadId: "t1", id: "q2" });
    void client.run("now", { threadId: "t1", id: "q3", ifBusy: "interrupt" });
    expect(socket.of("run").map(({ if_busy }) => if_busy)).toEqual([undefined, "interrupt"]);
    socket.says(accepted("q2", "r2", "t1", "queued", 1), accepted("q3", "r3", "t1", "queued", 1));
    await harness.settle();
    expect(client.view.sent).toMatchObject({ q2: { run: { runId: "r2" } }, q3: { ifBusy: "interrupt" } });
  });

  it("does not make a queued run that says nothing be attached again, but its thread's running one", async () => {
    await followed(event("agent_cancelled", 3));
    const { client, socket } = harness;
    void client.run("next", { threadId: "t1", id: "q2" });
    socket.says(accepted("q2", "r2", "t1", "queued", 1), event("user_message", 1, { request_id: "q2" }, "r2"));
    await harness.settle(60_000);
    expect(socket.of("attach")).toHaveLength(1);
    socket.says(threadChanged({ active_run: "r2" }));
    await harness.settle(16_000);
    expect(socket.of("attach")).toMatchObject([{}, { after: { r2: 1 } }]);
  });

  it("is asked for where the list names a run of which nothing came", async () => {
    await followed();
    harness.socket.says(threadChanged({ active_run: "r1", queue: ["r2"] }));
    await harness.settle(300);
    expect(harness.socket.of("attach")[1]).toMatchObject({ after: { r1: 2, r2: 0 } });
  });
});

describe("an answer to a call", () => {
  const key = callKey("r1", "c1");
  const asked = event("approval_requested", 3);

  it("goes out with its reason and is taken", async () => {
    await followed(asked);
    const { client, socket } = harness;
    const reply = client.approve("r1", "c1", false, "Not now");
    expect(socket.of("approve")).toMatchObject([
      { run_id: "r1", tool_call_id: "c1", approved: false, reason: "Not now" },
    ]);
    expect(client.view.answers[key]).toEqual({ approved: false, state: "sending" });
    socket.says(JSON.stringify({ type: "approved", id: harness.lastId("approve"), run_id: "r1" }));
    await expect(reply).resolves.toMatchObject({ run_id: "r1" });
    expect(client.view.answers[key]).toEqual({ approved: false, state: "taken" });
  });

  it("is known to be late, or may be given again", async () => {
    await followed(asked);
    const { client, socket } = harness;
    const failed = expect(client.approve("r1", "c1", true)).rejects.toMatchObject({ code: "unavailable" });
    socket.says(refusal("approve", "unavailable", true));
    await failed;
    expect(client.view.answers).toEqual({});
    const late = expect(client.approve("r1", "c1", true)).rejects.toMatchObject({ code: "approval_closed" });
    socket.says(refusal("approve", "approval_closed"));
    await late;
    expect(client.view.answers[key]).toEqual({ approved: true, state: "closed" });
  });
});

describe("threads", () => {
  it("are renamed", async () => {
    await harness.online();
    const { client, socket } = harness;
    socket.says(threadChanged());
    const reply = client.rename("t1", "New");
    expect(socket.of("rename")).toMatchObject([{ thread_id: "t1", title: "New" }]);
    socket.says(JSON.stringify({ type: "renamed", id: harness.lastId("rename"), thread_id: "t1", title: "New" }));
    await reply;
    expect(client.view.list).toMatchObject([{ title: "New" }]);
  });

  it("that are forgotten leave the list, and are followed no more, whatever still comes of them", async () => {
    await followed();
    const { client, socket } = harness;
    socket.says(threadChanged());
    const reply = client.forget("t1");
    socket.says(JSON.stringify({ type: "forgotten", id: harness.lastId("forget"), thread_id: "t1" }));
    await reply;
    const old = threadChanged({ updated_at: "2026-11-22T09:00:00.000Z" });
    socket.says(event("agent_cancelled", 3), event("agent_delta", 9), old);
    expect(client.view).toMatchObject({ gone: { t1: true }, list: [], threads: {} });
    await client.follow("t1");
    await harness.settle(60_000);
    await harness.reconnect();
    expect(harness.socket.of("attach")).toEqual([]);
    expect(harness.sockets[0]?.of("attach")).toHaveLength(1);
  });

  it.each([
    ["another device forgot them", () => harness.socket.says(threadChanged({ state: "forgotten" }))],
    ["attaching says that there are none", () => harness.socket.says(refusal("attach", "thread_not_found"))],
  ])("are gone where %s", async (_, tell) => {
    await harness.online();
    void harness.client.follow("t1");
    tell();
    await harness.settle(60_000);
    expect(harness.client.view.gone).toEqual({ t1: true });
    expect(harness.socket.of("attach")).toHaveLength(1);
    expect(harness.problems).toEqual([]);
    // The attach of a thread that another device forgot is answered with nothing that matters.
    harness.socket.says(attached(harness.lastId("attach")));
  });

  it("that were gone before are forgotten with success", async () => {
    await harness.online();
    const reply = harness.client.forget("t1");
    harness.socket.says(refusal("forget", "thread_not_found"));
    await expect(reply).resolves.toBeUndefined();
  });

  it("that are in no whole list any more leave it, unless they came meanwhile", async () => {
    await harness.online();
    const { client, socket } = harness;
    socket.says(threadChanged({ thread_id: "a" }), threadChanged({ thread_id: "b" }));
    const reply = client.threads();
    socket.says(threadChanged({ thread_id: "c" }));
    const items = [{ thread_id: "b", title: "B", updated_at: "2026-11-22T10:00:00.000Z" }];
    socket.says(JSON.stringify({ type: "threads", id: harness.lastId("threads"), items }));
    await reply;
    expect(client.view.list.map(({ thread_id }) => thread_id)).toEqual(["c", "b"]);
  });
});
