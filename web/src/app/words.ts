/** What refusals and failures are called in the page, where the server's own sentence leaves open what to do. */
interface Problem {
  readonly code: string;
  readonly message: string;
}

const WORDS: Readonly<Record<string, string>> = {
  busy: "Another message is being answered here. Send yours again when that is done.",
  queue_full: "Too many messages are waiting here already. Send yours again when some are answered.",
  quota_exceeded: "You have as many messages under way as you may. Send this one again in a little while.",
  thread_not_found: "This chat is not there any more.",
  approval_closed: "This had been answered before, or its time was over.",
  engine_lost: "The engine was lost, and so were those that took over from it.",
  could_not_start: "No engine was free in time.",
  step_too_long: "One step took longer than an engine lives, twice in a row.",
  run_too_long: "This took longer than a run may take, all its engines together.",
  tool_outcome_unknown:
    "A tool was cut off at its work, and nobody can tell whether it did what it was asked to. " +
    "Have a look before you ask again.",
};

export function wordsFor({ code, message }: Problem): string {
  return (Object.hasOwn(WORDS, code) ? WORDS[code] : undefined) ?? message;
}

const RESUMED: Readonly<Record<string, string>> = {
  engine_lost: "The engine was lost, a fresh one went on",
  handed_over: "A fresh engine took over",
  answered: "Went on after the answer",
  expired: "Went on without an answer",
};

/** Why a fresh engine went on. */
export function wordsForResumed(reason: string): string {
  return (Object.hasOwn(RESUMED, reason) ? RESUMED[reason] : undefined) ?? `A fresh engine went on (${reason})`;
}
