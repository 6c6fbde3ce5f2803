import { describe, expect, it } from "vitest";
import { wordsFor, wordsForResumed } from "../src/app/words";

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
