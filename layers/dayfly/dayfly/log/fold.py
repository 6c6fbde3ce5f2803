"""Folding a run's log: into its messages for history, and into what the next engine continues from. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.log.journal import JournalEntry
from dayfly.log.messages import (
    NOTHING_COUNTED,
    AssistantSaid,
    Decision,
    Message,
    TokenCount,
    ToolAnswered,
    ToolOutcome,
    UserSaid,
)

UNANSWERED = "The run ended before this tool answered."


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of streamed text, at its seq."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A piece of streamed reasoning, at its seq: no part of any message."""

    seq: int


@dataclass(frozen=True, slots=True)
class Voided:
    """A later attempt, or another try of the same request, made the text after this seq void."""

    after: int


@dataclass(frozen=True, slots=True)
class Began:
    """A tool call was about to be carried out."""

    seq: int
    call_id: str


LogStep = Said | Reasoned | Voided | Began | JournalEntry


def fold(user_text: str, steps: Iterable[LogStep]) -> tuple[Message, ...]:
    """The messages of one run from its steps in the order of the log.

    A whole model response stands for the streamed text that it completes; streamed text that no response completes is
    kept as it was said (the run was cut off there), unless a later attempt made it void. Each tool call has exactly
    one result, a synthetic one where the run ended before it, so that any model API takes the conversation.
    """
    messages: list[Message] = [UserSaid(user_text)]
    said: list[Said] = []
    for step in steps:
        match step:
            case Said():
                said.append(step)
            case Voided(after=after):
                said = [piece for piece in said if piece.seq <= after]
            case JournalEntry(completes=completes, message=message) if not isinstance(message, Decision):
                said = [piece for piece in said if piece.seq > completes]
                messages.append(message)
            case JournalEntry() | Began() | Reasoned():
                pass
    partial = "".join(piece.text for piece in said)
    if partial:
        messages.append(AssistantSaid(partial))
    return _answered(messages)


def _answered(messages: list[Message]) -> tuple[Message, ...]:
    """Adds a synthetic result for each call that was not answered, after the results of the same response."""
    answered = {message.call_id for message in messages if isinstance(message, ToolAnswered)}
    whole: list[Message] = []
    missing: list[ToolAnswered] = []
    for message in messages:
        if missing and not isinstance(message, ToolAnswered):
            whole.extend(missing)
            missing = []
        whole.append(message)
        if isinstance(message, AssistantSaid):
            missing = [
                ToolAnswered(call.call_id, call.name, UNANSWERED, ToolOutcome.UNANSWERED)
                for call in message.calls
                if call.call_id not in answered
            ]
    return tuple(whole + list(missing))


@dataclass(frozen=True, slots=True)
class Resumption:
    """What earlier attempts of a run have left. `completed_seq` is the last seq that a journal entry completes (1, the
    user's message, where there is none): text after it is void, since the response that it belongs to will be asked for
    again. `in_doubt` are calls that were begun and have no result; `decisions` the user's, on calls that have none. The
    sums are over all responses."""

    messages: tuple[AssistantSaid | ToolAnswered, ...] = ()
    completed_seq: int = 1
    in_doubt: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    requests: int = 0
    tokens: TokenCount = NOTHING_COUNTED


def resumption_of(steps: Iterable[LogStep]) -> Resumption:
    """What the next engine continues from, by the steps of a run in the order of its log."""
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
        completed_seq=max((entry.completes for entry in entries), default=1),
        in_doubt=frozenset(step.call_id for step in steps if isinstance(step, Began)) - ended,
        decisions=tuple(decision for call_id, decision in decisions.items() if call_id not in ended),
        requests=len(responses),
        tokens=sum((entry.tokens for entry in responses), NOTHING_COUNTED),
    )
