"""Folding a run's log: into its messages for history, and into what the next engine continues from. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dayfly.log.journal import JournalEntry
from dayfly.log.messages import (
    NOTHING_COUNTED,
    Answer,
    AssistantSaid,
    Decision,
    Message,
    TokenCount,
    ToolAnswered,
    ToolCall,
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


RunMessage = AssistantSaid | ToolAnswered
"""What a run adds to its user's message."""


def fold(user_text: str, steps: Iterable[LogStep]) -> tuple[Message, ...]:
    """The messages of one run from its steps in the order of the log.

    A whole model response stands for the streamed text that it completes; streamed text that no response completes is
    kept as it was said (the run was cut off there), unless a later attempt made it void. The run's answer is there
    once, whatever was told of it before. Each tool call has exactly one result behind the response that asked for it, a
    synthetic one where the run ended before it, so that any model API takes the conversation.
    """
    messages: list[RunMessage] = []
    said: list[Said] = []
    answer: Answer | None = None
    for step in steps:
        match step:
            case Said():
                said.append(step)
            case Voided(after=after):
                said = [piece for piece in said if piece.seq <= after]
            case JournalEntry(message=Answer() as message):
                answer = message
            case JournalEntry(completes=completes, message=AssistantSaid() | ToolAnswered() as message):
                said = [piece for piece in said if piece.seq > completes]
                messages.append(message)
            case JournalEntry() | Began() | Reasoned():
                pass
    partial = "".join(piece.text for piece in said)
    told = _answered(_with_answer(_by_response(messages), partial, answer))
    return UserSaid(user_text), *told


def _by_response(messages: Sequence[RunMessage]) -> list[RunMessage]:
    """The messages with each result behind the response that asked for its call, where every model API wants it. What
    was said while the call ran is part of that response; a result that no response asked for gets one that did."""
    results = {message.call_id for message in messages if isinstance(message, ToolAnswered)}
    rounds: list[tuple[AssistantSaid, list[ToolAnswered]]] = []
    place_of: dict[str, int] = {}
    running: set[str] = set()
    for message in messages:
        if isinstance(message, ToolAnswered):
            if message.call_id not in place_of:
                place_of[message.call_id] = len(rounds)
                rounds.append((AssistantSaid("", (ToolCall(message.call_id, message.name, "{}"),)), []))
            rounds[place_of[message.call_id]][1].append(message)
            running.discard(message.call_id)
        elif running and not message.calls:
            asking, answers = rounds[-1]
            rounds[-1] = replace(asking, text=asking.text + message.text), answers
        else:
            running = {call.call_id for call in message.calls} & results
            place_of |= {call.call_id: len(rounds) for call in message.calls}
            rounds.append((message, []))
    ordered: list[RunMessage] = []
    for asking, answers in rounds:
        ordered += (asking, *answers)
    return ordered


def _with_answer(messages: list[RunMessage], partial: str, answer: Answer | None) -> list[RunMessage]:
    """Puts the answer, which is the whole of what was said last, where the last text of the run stands."""
    last = messages[-1] if messages else None
    is_response = isinstance(last, AssistantSaid) and not last.calls
    if answer is not None and is_response and _is_told(answer.text, messages[-1:]):
        return messages
    whole = [*messages, AssistantSaid(partial)] if partial else messages
    if answer is None:
        return whole
    if _is_told(answer.text, whole):
        if partial:
            whole[-1] = AssistantSaid(partial, finish=answer.finish)
        return whole
    said = AssistantSaid(answer.text, finish=answer.finish)
    # What its provider wants back with a response is of no use beside another text.
    return [*messages[:-1], said] if is_response else [*messages, said]


def _is_told(text: str, messages: list[RunMessage]) -> bool:
    """Whether the last pieces of text among the messages are this text, white space apart."""
    wanted, told = "".join(text.split()), ""
    for message in reversed(messages):
        if isinstance(message, AssistantSaid):
            told = "".join(message.text.split()) + told
            if told == wanted:
                return True
    return False


def _answered(messages: Sequence[RunMessage]) -> tuple[RunMessage, ...]:
    """Adds a synthetic result for each call that was not answered, after the results of the same response."""
    answered = {message.call_id for message in messages if isinstance(message, ToolAnswered)}
    whole: list[RunMessage] = []
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
    return (*whole, *missing)


@dataclass(frozen=True, slots=True)
class Resumption:
    """What earlier attempts of a run have left. `completed_seq` is the last seq that a journal entry completes (1, the
    user's message, where there is none): text after it is void, since the response that it belongs to will be asked for
    again. `in_doubt` are calls that were begun and have no result; `decisions` the user's, on calls that have none. The
    sums are over all responses that the agent told of."""

    messages: tuple[RunMessage, ...] = ()
    completed_seq: int = 1
    in_doubt: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    requests: int = 0
    tokens: TokenCount = NOTHING_COUNTED


def resumption_of(steps: Iterable[LogStep]) -> Resumption:
    """What the next engine continues from, by the steps of a run in the order of its log."""
    steps = tuple(steps)
    entries = [step for step in steps if isinstance(step, JournalEntry)]
    messages = [entry.message for entry in entries if isinstance(entry.message, AssistantSaid | ToolAnswered)]
    ended = {message.call_id for message in messages if isinstance(message, ToolAnswered)}
    # A call that is decided on twice cannot be; of two, the first was told to the user.
    decided = [entry.message for entry in entries if isinstance(entry.message, Decision)]
    decisions = {decision.call_id: decision for decision in reversed(decided)}
    responses = [entry for entry in entries if isinstance(entry.message, AssistantSaid) and entry.told]
    return Resumption(
        messages=tuple(_by_response(messages)),
        completed_seq=max((entry.completes for entry in entries), default=1),
        in_doubt=frozenset(step.call_id for step in steps if isinstance(step, Began)) - ended,
        decisions=tuple(decision for call_id, decision in decisions.items() if call_id not in ended),
        requests=len(responses),
        tokens=sum((entry.tokens for entry in responses), NOTHING_COUNTED),
    )
