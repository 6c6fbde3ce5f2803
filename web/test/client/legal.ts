/** Event logs as a backend may write them: with requests to the model, tools, approvals, engines lost and handed over. */
import type { Chance } from "./chance";
import { event } from "./frames";

export type Status = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

export interface Log {
  readonly runId: string;
  /** Encoded, from seq 1 on. */
  readonly events: readonly string[];
  readonly status: Status;
  /** The whole of the last model response, voided deltas left out: what a completed run answers. */
  readonly said: string;
  /** Deltas that a fresh engine declared void. */
  readonly voided: readonly string[];
  readonly truncated: boolean;
  readonly open: readonly string[];
}

/** The run ends, or the log simply stops here. */
class Stop extends Error {}

export function legalLog(chance: Chance, runId: string, threadId = "t1"): Log {
  return new Writer(chance, runId, threadId).write();
}

class Writer {
  readonly #events: string[] = [];
  #status: Status = "queued";
  #said = "";
  readonly #voided: string[] = [];
  #truncated = false;
  #open: string[] = [];
  #attempt = 1;
  #calls = 0;
  /** The seq up to which all is journalled. */
  #done = 1;

  constructor(
    private readonly chance: Chance,
    private readonly runId: string,
    private readonly threadId: string,
  ) {}

  write(): Log {
    try {
      this.#log("user_message", { text: `message of ${this.runId}`, request_id: `q-${this.runId}` });
      if (this.chance.is(0.15)) this.#leave();
      this.#log("agent_started");
      this.#status = "running";
      while (this.#respond()) this.#work();
      this.#end("agent_completed");
    } catch (stop) {
      if (!(stop instanceof Stop)) throw stop;
    }
    const { runId } = this;
    return {
      runId,
      events: this.#events,
      status: this.#status,
      said: this.#said,
      voided: this.#voided,
      truncated: this.#truncated,
      open: this.#open,
    };
  }

  /** One request to the model, which may be cut off and made again. True: it asked for tools. */
  #respond(): boolean {
    for (;;) {
      this.#log("agent_thinking", { step_number: this.#calls + 1, reasoning: `thinking ${this.#events.length}` });
      this.#said = "";
      const pieces: string[] = [];
      for (let piece = this.chance.below(5); piece > 0; piece -= 1) {
        const text = `${this.runId}-${this.#events.length + 1} `;
        this.#log("agent_delta", { text });
        pieces.push(text);
        this.#said += text;
        this.#maybeLeave();
      }
      if (this.chance.is(0.2)) {
        this.#resume(this.chance.pick(["engine_lost", "handed_over"]), this.#done);
        this.#said = "";
        this.#voided.push(...pieces);
      } else break;
    }
    this.#done = this.#events.length;
    return this.chance.is(0.6) && this.#calls < 8;
  }

  /** The tools that a response asked for: some wait for approval, and an engine may be lost while one runs. */
  #work(): void {
    const calls = Array.from({ length: 1 + this.chance.below(3) }, () => `call-${++this.#calls}`);
    const asked = calls.filter(() => this.chance.is(0.4));
    for (const call of calls.filter((other) => !asked.includes(other))) this.#execute(call);
    if (asked.length === 0) return;
    for (const call of asked) this.#log("approval_requested", { tool_call_id: call, parameters: { call } });
    this.#open = asked;
    this.#status = "waiting";
    this.#maybeLeave(0.3);
    const reason = this.chance.pick(["answered", "answered", "expired"]);
    this.#resume(reason);
    this.#open = [];
    this.#status = "running";
    for (const call of this.chance.shuffled(asked)) {
      if (this.chance.is(0.6)) this.#execute(call);
      else this.#finish(call, "denied");
    }
  }

  #execute(call: string): void {
    do {
      this.#log("tool_executing", { tool_call_id: call, parameters: { call } });
      this.#maybeLeave();
      if (this.chance.is(0.15)) this.#resume("engine_lost", this.#done);
      else break;
    } while (this.chance.is(0.8) || this.#end("agent_error"));
    this.#finish(call, this.chance.pick(["ok", "ok", "error"]));
  }

  #finish(call: string, status: string): void {
    this.#log("tool_completed", { tool_call_id: call, status, result: `result of ${call}` });
    this.#done = this.#events.length;
    this.#maybeLeave();
  }

  #resume(reason: string, discardAfter?: number): void {
    this.#log("agent_resumed", { attempt: ++this.#attempt, reason, discard_after: discardAfter });
  }

  #maybeLeave(probability = 0.04): void {
    if (this.chance.is(probability)) this.#leave();
  }

  #leave(): never {
    if (this.chance.is(0.4)) throw new Stop();
    return this.#end(this.chance.pick(["agent_cancelled", "agent_error"]));
  }

  #end(type: "agent_completed" | "agent_error" | "agent_cancelled"): never {
    this.#truncated = type === "agent_completed" && this.chance.is(0.2);
    const result = this.#truncated ? this.#said.slice(0, 3) : this.#said;
    this.#log(type, type === "agent_completed" ? { result, truncated: this.#truncated } : {});
    this.#status = ({ agent_completed: "completed", agent_error: "failed", agent_cancelled: "cancelled" } as const)[
      type
    ];
    this.#open = [];
    throw new Stop();
  }

  #log(type: string, payload: object = {}): void {
    this.#events.push(event(type, this.#events.length + 1, payload, this.runId, this.threadId));
  }
}
