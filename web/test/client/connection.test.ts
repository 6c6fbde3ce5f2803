import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type ConnectionState, type Socket } from "../../src/client/connection";

let sockets: Socket[];
let states: ConnectionState["name"][];
let token: () => Promise<string>;
let connection: Connection;

function socket(): Socket {
  return {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => undefined,
    close: () => undefined,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  states = [];
  token = async () => "t";
  connection = new Connection(
    {
      url: "ws://host/live",
      token: () => token(),
      open: () => {
        const made = socket();
        sockets.push(made);
        return made;
      },
      random: () => 1,
    },
    { onState: (state) => states.push(state.name), onFrame: () => undefined },
  );
});

afterEach(() => {
  connection.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a connection", () => {
  it("says why it has no token and tries again", async () => {
    token = () => Promise.reject(new Error("The issuer is away."));
    connection.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toEqual({ name: "waiting", attempt: 1, reason: "The issuer is away." });
    token = async () => "t";
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(1);
  });

  it("opens nothing when it was closed while it waited for the token", async () => {
    let give = (_: string) => undefined as unknown;
    token = () => new Promise((resolve) => (give = resolve));
    connection.open();
    connection.close();
    give("late");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(0);
    expect(connection.state.name).toBe("closed");
  });

  it("gives up a handshake that is never answered", async () => {
    connection.open();
    await vi.advanceTimersByTimeAsync(32_000);
    expect(connection.state.name).toBe("waiting");
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(2);
  });

  it("never waits longer than 20 s", async () => {
    connection.open();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await vi.advanceTimersByTimeAsync(20_000);
      sockets.at(-1)?.onclose?.({ code: 1006, reason: "" });
    }
    expect(sockets).toHaveLength(12);
  });

  it("hears nothing more of a socket that it gave up", async () => {
    connection.open();
    await vi.advanceTimersByTimeAsync(0);
    const { onopen, onclose } = sockets[0] as Socket;
    onopen?.();
    connection.replace("old");
    expect(sockets[0]).toMatchObject({ onopen: null, onmessage: null, onclose: null });
    expect(onclose).not.toBeNull();
    expect(states).toEqual(["connecting", "online", "waiting"]);
  });

  it("tries at once when hurried, and sends only when online", async () => {
    connection.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.send("x")).toBe(false);
    sockets[0]?.onclose?.({ code: 1006, reason: "" });
    connection.hurry();
    await vi.advanceTimersByTimeAsync(0);
    sockets[1]?.onopen?.();
    expect(connection.send("x")).toBe(true);
  });
});
