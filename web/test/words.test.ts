import { describe, expect, it } from "vitest";
import { canGoOn, wordsFor, wordsForFinish, wordsForResumed, wordsForRetry } from "../src/app/words";

describe("what a problem is called", () => {
  it("says what to do where the code says more than the server's sentence", () => {
    expect(wordsFor({ code: "tool_outcome_unknown", message: "No" })).toContain("before you ask again");
    expect(wordsFor({ code: "queue_full", message: "No" })).not.toBe("No");
  });

  it("is the server's sentence otherwise, also for codes of later versions", () => {
    expect(wordsFor({ code: "agent_failed", message: "It failed." })).toBe("It failed.");
    expect(wordsFor({ code: "toString", message: "Odd." })).toBe("Odd.");
  });
});

describe("why a fresh engine went on", () => {
  it.each(["engine_lost", "handed_over", "answered", "expired"])("has words for %s", (reason) => {
    expect(wordsForResumed(reason)).not.toContain(reason);
  });

  it("names a reason of a later version", () => {
    expect(wordsForResumed("moved")).toContain("moved");
  });
});

describe("how an answer ended", () => {
  it("is said of one that is not whole, and of no other", () => {
    expect(wordsForFinish("complete")).toBeUndefined();
    expect(wordsForFinish(undefined)).toBeUndefined();
    const told = ["length", "context_window", "filtered", "refused", "other"].map(wordsForFinish);
    expect(new Set(told).size).toBe(5);
    expect(told.filter((words) => words === undefined || words.includes("("))).toEqual([]);
    expect(wordsForFinish("of_a_later_version")).toContain("of_a_later_version");
  });

  it("lets the model go on where it was only cut off", () => {
    expect(["complete", "length", "context_window", "filtered", "refused", "other", undefined].filter(canGoOn)).toEqual(
      ["length", "context_window"],
    );
  });
});

describe("why a request is made again", () => {
  it.each(["throttled", "unavailable", "connection_lost", "timed_out", "cut_off", "no_answer", "too_long", "restated"])(
    "has words for %s",
    (reason) => {
      expect(wordsForRetry(reason)).not.toContain("(");
    },
  );

  it("names a reason of a later version", () => {
    expect(wordsForRetry("moved")).toContain("moved");
  });
});
