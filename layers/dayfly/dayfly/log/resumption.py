"""Where a fresh engine goes on: what the log says of the attempts before it."""

from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.log.fold import Began, LogStep
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered


@dataclass(frozen=True, slots=True)
class Resumption:
    """What earlier attempts of a run have left. `completed` is the last seq that a journal entry completes (1, the
    user's message, where there is none): text after it is void, since the response that it belongs to will be asked for
    again. `in_doubt` are calls that were begun and have no result; `decisions` the user's, on calls that have none. The
    sums are over all responses."""

    messages: tuple[AssistantSaid | ToolAnswered, ...] = ()
    completed: int = 1
    in_doubt: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def resumption_of(steps: Iterable[LogStep]) -> Resumption:
    """Folds the steps of a run, in the order of its log."""
    steps = tuple(steps)
    entries = [step for step in steps if isinstance(step, JournalEntry)]
    messages = tuple(entry.message for entry in entries if not isinstance(entry.message, Decision))
    ended = {message.call_id for message in messages if isinstance(message, ToolAnswered)}
    # A call that is decided on twice cannot be; of two, the first was told to the user.
    decided = [entry.message for entry in entries if isinstance(entry.message, Decision)]
    decisions = {decision.call_id: decision for decision in reversed(decided)}
    responses = [entry for entry in entries if isinstance(entry.message, AssistantSaid)]
    return Resumption(
        messages=messages,
        completed=max((entry.completes for entry in entries), default=1),
        in_doubt=frozenset(step.call_id for step in steps if isinstance(step, Began)) - ended,
        decisions=tuple(decision for call_id, decision in decisions.items() if call_id not in ended),
        requests=len(responses),
        input_tokens=sum(entry.input_tokens for entry in responses),
        output_tokens=sum(entry.output_tokens for entry in responses),
    )
