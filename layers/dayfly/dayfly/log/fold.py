"""History: one pure fold over what a run did, the same whoever ends it."""

from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolOutcome, UserSaid

UNANSWERED = "The run ended before this tool answered."


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of streamed text, at its seq."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Voided:
    """A later attempt made the text after this seq void."""

    after: int


@dataclass(frozen=True, slots=True)
class Began:
    """A tool call was about to be carried out."""

    seq: int
    call_id: str


LogStep = Said | Voided | Began | JournalEntry


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
            case JournalEntry() | Began():
                pass
    partial = "".join(piece.text for piece in said)
    if partial:
        messages.append(AssistantSaid(partial))
    return _answered(messages)


def _answered(messages: list[Message]) -> tuple[Message, ...]:
    """Puts a synthetic result behind each response whose calls were not all answered."""
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
