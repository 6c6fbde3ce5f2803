/**
 * Event logs as a backend may write them: with requests to the model that reason, fail and are made again, tools that tell
 * how far they are, approvals, engines lost and handed over.
 */
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
  /** What the model reasoned in each request, if it did, voided pieces left out. */
  readonly reasoned: readonly string[];
  /** Deltas, and pieces of reasoning, that a retry or a fresh engine declared void. */
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
  #reasoned: string[] = [];
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
      reasoned: this.#reasoned.filter((text) => text !== ""),
      voided: this.#voided,
      truncated: this.#truncated,
      open: this.#open,
    };
  }

  /** One request to the model, which may fail or be cut off, and be made again. True: it asked for tools. */
  #respond(): boolean {
    for (let begins = true, retry = 0; ; ) {
      if (begins) {
        this.#log("agent_thinking", { step_number: this.#calls + 1, reasoning: `thinking ${this.#events.length}` });
        this.#reasoned.push("");
        retry = 0;
      }
      this.#said = "";
      const pieces = this.#stream();
      const fate = this.chance.next();
      if (fate < 0.2) {
        const reason = this.chance.pick(["throttled", "cut_off", "restated"]);
        this.#log("agent_retrying", {
          reason,
          retry: ++retry,
          delay_ms: this.chance.below(5_000),
          discard_after: this.#done,
        });
        begins = false;
      } else if (fate < 0.36) {
        this.#resume(this.chance.pick(["engine_lost", "handed_over"]), this.#done);
        begins = true;
      } else break;
      this.#said = "";
      this.#reasoned[this.#reasoned.length - 1] = "";
      this.#voided.push(...pieces);
    }
    this.#done = this.#events.length;
    return this.chance.is(0.6) && this.#calls < 8;
  }

  /** Pieces of the answer and of the reasoning, in any order. */
  #stream(): string[] {
    const pieces: string[] = [];
    for (let piece = this.chance.below(5); piece > 0; piece -= 1) {
      const reasons = this.chance.is(0.4);
      const text = `${reasons ? "hm-" : ""}${this.runId}-${this.#events.length + 1} `;
      this.#log(reasons ? "agent_reasoning" : "agent_delta", { text });
      pieces.push(text);
      if (reasons) this.#reasoned.push((this.#reasoned.pop() ?? "") + text);
      else this.#said += text;
      this.#maybeLeave();
    }
    return pieces;
  }

  /** The tools that a response asked for: some wait for approval, and an engine may be lost while one runs. */
  #work(): void {
    const calls = Array.from({ length: 1 + this.chance.below(3) }, () => `call-${++this.#calls}`);
    const asked = calls.filter(() => this.chance.is(0.4));
    for (const call of calls.filter((other) => !asked.includes(other))) {
      // What does not fit is never begun.
      if (this.chance.is(0.1)) this.#finish(call, "error");
      else this.#execute(call);
    }
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
      for (let told = this.chance.below(3); told > 0; told -= 1) {
        this.#log("tool_progress", { tool_call_id: call, message: `${told} to go` });
      }
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
