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

const FINISHES: Readonly<Record<string, string>> = {
  length: "The answer was cut off here: the model may write only so much at a time.",
  context_window: "The answer was cut off here: this chat has become as long as the model can read.",
  filtered: "The model's provider held back the answer, or the rest of it.",
  refused: "The model declined to answer this.",
  other: "The model ended its answer early.",
};

/** What to say of an answer that is not whole; nothing of one that is. */
export function wordsForFinish(finish: string | undefined): string | undefined {
  if (finish === undefined || finish === "complete") return undefined;
  return Object.hasOwn(FINISHES, finish) ? FINISHES[finish] : `The model ended its answer early (${finish}).`;
}

/** Whether the model can be asked to go on where it was cut off. */
export function canGoOn(finish: string | undefined): boolean {
  return finish === "length" || finish === "context_window";
}

/** What asks it to. */
export const GO_ON = "Go on exactly where you stopped.";

const RETRIED: Readonly<Record<string, string>> = {
  throttled: "The model has too many requests",
  unavailable: "The model is not available",
  connection_lost: "The connection to the model broke off",
  timed_out: "The model did not answer in time",
  cut_off: "The model's answer broke off",
  no_answer: "The model gave no answer",
  too_long: "This chat is too long for the model, its beginning is left out",
  restated: "What was shown as the answer was reasoning",
};

/** Why a request to the model is made again. */
export function wordsForRetry(reason: string): string {
  return (Object.hasOwn(RETRIED, reason) ? RETRIED[reason] : undefined) ?? `The model failed (${reason})`;
}
