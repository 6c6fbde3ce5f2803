import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Session } from "../src/app/session";
import { callKey } from "../src/client";
import { accepted, attached, event, threadChanged } from "./client/frames";
import { FakeSocket } from "./client/harness";

let session: Session;
let socket: FakeSocket;

const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const last = (action: string) => socket.of(action).at(-1) ?? {};
const refusal = (action: string, code: string) =>
  JSON.stringify({ type: "error", id: last(action).id, code, message: "No", retryable: false });

/** The session of a page that was opened with this thread, in which a run is under way. */
beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { protocol: "http:", host: "host", search: "" });
  vi.stubGlobal("fetch", async () => new Response('{"token": "t"}'));
  vi.stubGlobal(
    "WebSocket",
    class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        socket = this;
      }
    },
  );
  session = new Session("alice", "t1");
  session.start();
  await settle();
  socket.onopen?.();
  socket.says(event("user_message", 1), event("agent_started", 2));
  socket.says(attached(String(last("attach").id), [{ run_id: "r1", status: "running", seq: 2 }]));
  await settle(300);
  socket.says(JSON.stringify({ type: "history", id: last("history").id, thread_id: "t1", messages: [] }));
  socket.says(JSON.stringify({ type: "threads", id: last("threads").id, items: [] }));
  await settle();
});

afterEach(() => {
  session.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a message", () => {
  it("goes to the open thread, and waits there or interrupts", async () => {
    session.send("next");
    session.send("now", "interrupt");
    expect(socket.of("run")).toMatchObject([{ thread_id: "t1", text: "next" }, { if_busy: "interrupt" }]);
    expect(socket.of("run")[0]).not.toHaveProperty("if_busy");
  });

  it("goes to the agent that the page's address names, and else to the default one", async () => {
    session.send("next");
    expect(last("run")).not.toHaveProperty("agent");
    vi.stubGlobal("location", { protocol: "http:", host: "host", search: "?user=bob&agent=orders" });
    const other = new Session("bob", undefined);
    other.start();
    await settle();
    socket.onopen?.();
    other.send("next");
    expect(last("run")).toMatchObject({ agent: "orders", text: "next" });
    other.end();
  });

  it("that was refused goes out again with the same id and content", async () => {
    session.send("now", "interrupt");
    const first = last("run");
    socket.says(refusal("run", "queue_full"));
    await settle();
    const refused = session.unsettled[0];
    expect(refused?.error?.code).toBe("queue_full");
    if (refused !== undefined) session.again(refused);
    expect(socket.of("run")).toEqual([first, first]);
  });
});

describe("ending a run", () => {
  it("is under way until the run's own end, one run beside another", async () => {
    const { runs = [] } = session.thread ?? {};
    if (runs[0] !== undefined) void session.stop(runs[0]);
    session.send("next");
    socket.says(accepted(String(last("run").id), "r2", "t1", "queued", 1), event("user_message", 1, {}, "r2"));
    const queued = session.thread?.runs[1];
    if (queued !== undefined) void session.stop(queued);
    expect([...session.stopping]).toEqual(["r1", "r2"]);
    socket.says(event("agent_cancelled", 2, {}, "r2"));
    expect([...session.stopping]).toEqual(["r1"]);
  });

  it("that is refused may be asked for again", async () => {
    const run = session.thread?.runs[0];
    if (run !== undefined) void session.stop(run);
    socket.says(refusal("cancel", "unavailable"));
    await settle();
    expect(session.stopping.size).toBe(0);
    expect(session.problem?.code).toBe("unavailable");
  });
});

describe("an answer to a call", () => {
  it("carries a reason only where one was given", () => {
    void session.answer("r1", "c1", false, "  ");
    void session.answer("r1", "c2", false, " Not now ");
    expect(socket.of("approve")[0]).not.toHaveProperty("reason");
    expect(socket.of("approve")[1]).toMatchObject({ reason: "Not now", approved: false });
  });

  it("that comes too late is told of where it was given, and nowhere else", async () => {
    void session.answer("r1", "c1", true, "");
    socket.says(refusal("approve", "approval_closed"));
    await settle();
    expect(session.problem).toBeUndefined();
    expect(session.client.view.answers[callKey("r1", "c1")]).toMatchObject({ state: "closed" });
  });
});

describe("a thread", () => {
  it("that another device forgets is gone, without a complaint", async () => {
    socket.says(threadChanged());
    expect(session.gone).toBe(false);
    socket.says(threadChanged({ state: "forgotten" }));
    expect(session.gone).toBe(true);
    expect(session.client.view.list).toEqual([]);
    session.open(undefined);
    expect(session.gone).toBe(false);
    expect(session.problem).toBeUndefined();
  });

  it("that the address names and that is not there is gone", async () => {
    session.open("t9");
    socket.says(refusal("attach", "thread_not_found"));
    await settle();
    expect(session.gone).toBe(true);
    expect(session.problem).toBeUndefined();
    expect(last("history").thread_id).toBe("t1");
  });
});
