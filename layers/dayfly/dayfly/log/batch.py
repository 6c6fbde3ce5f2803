"""From what was emitted to one numbered batch: pure, and the same for the same input."""

import itertools
from dataclasses import dataclass
from typing import Final, overload

from dayfly.log.fold import Began, LogStep, Reasoned, Said, Voided
from dayfly.log.journal import JournalEntry, JournalMessage
from dayfly.log.messages import NOTHING_COUNTED, TokenCount
from dayfly.protocol.events import (
    AgentCancelled,
    AgentCompleted,
    AgentDelta,
    AgentError,
    AgentReasoning,
    AgentResumed,
    AgentRetrying,
    AnyPayload,
    Event,
    TerminalPayload,
    ToolExecuting,
)
from dayfly.store.rows import Outcome
from dayfly.text import split_text

DELTA_BYTES: Final = 24 * 1024
"""Bytes of one delta's text as a JSON string; with the envelope it stays below `limits.EVENT_BYTES`."""
DELTAS: Final = (AgentDelta, AgentReasoning)
"""Pieces of text, which are merged: of the answer, and of the model's reasoning."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """One thing that was emitted: an event's payload, a journal message, or an event with the journal message that it
    completes. `timestamp` is RFC 3339, UTC, of the moment it was emitted; the tokens are a model response's, and
    `told` is as in `JournalEntry`."""

    payload: AnyPayload | None
    message: JournalMessage | None
    timestamp: str
    tokens: TokenCount = NOTHING_COUNTED
    told: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """Events with their seqs, the journal entries among them, and the steps that history is folded from."""

    first: int
    last: int
    events: tuple[Event, ...]
    journal: tuple[JournalEntry, ...]
    steps: tuple[LogStep, ...]
    outcome: Outcome | None


def number(
    items: tuple[Emitted, ...],
    *,
    first: int,
    run_id: str,
    thread_id: str,
    agent_name: str,
    completed: int | None = None,
) -> Batch:
    """Numbers the items from `first`. Consecutive deltas become one event (or as few as their size allows); a journal
    entry completes the event before it. What a retry of the model's request discards is the text behind the last seq
    that was completed: `completed` (by default the seq before the first), or by an entry among the items."""
    completed = first - 1 if completed is None else completed
    events: list[Event] = []
    journal: list[JournalEntry] = []
    steps: list[LogStep] = []
    outcome: Outcome | None = None
    for item in merge_deltas(items):
        if (payload := item.payload) is not None:
            if isinstance(payload, AgentRetrying):
                payload = payload.model_copy(update={"discard_after": completed})
            event = Event(
                type=payload.type,
                run_id=run_id,
                thread_id=thread_id,
                seq=first + len(events),
                timestamp=item.timestamp,
                agent_name=agent_name,
                payload=payload,
            )
            events.append(event)
            outcome = outcome or outcome_of(payload)
            steps.extend(step_of(event))
        if item.message is not None:
            counted = item.tokens
            entry = JournalEntry(
                completes=first + len(events) - 1,
                message=item.message,
                input_tokens=counted.input,
                output_tokens=counted.output,
                cache_read_tokens=counted.cache_read,
                cache_write_tokens=counted.cache_write,
                told=item.told,
            )
            journal.append(entry)
            completed = entry.completes
            steps.append(entry)
    last = first + len(events) - 1
    return Batch(first, last, tuple(events), tuple(journal), tuple(steps), outcome)


def step_of(event: Event) -> tuple[LogStep, ...]:
    """The step of an event that history and the next engine are folded from; empty for most events."""
    match event.payload:
        case AgentDelta(text=text):
            return (Said(event.seq, text),)
        case ToolExecuting(tool_call_id=call_id):
            return (Began(event.seq, call_id),)
        case AgentResumed(discard_after=after) | AgentRetrying(discard_after=after) if after is not None:
            return (Voided(after),)
        case AgentReasoning():
            return (Reasoned(event.seq),)
        case _:
            return ()


def merge_deltas(items: tuple[Emitted, ...]) -> tuple[Emitted, ...]:
    """Joins deltas (and likewise pieces of reasoning) that follow each other with nothing between, and splits what is
    too long for one event."""
    merged: list[Emitted] = []
    for kind, group in itertools.groupby(items, _kind_of_delta):
        if kind is None:
            merged.extend(group)
            continue
        pieces = tuple(group)
        text = "".join(piece.payload.text for piece in pieces if isinstance(piece.payload, DELTAS))
        merged.extend(Emitted(kind(text=part), None, pieces[0].timestamp) for part in split_text(text, DELTA_BYTES))
    return tuple(merged)


def _kind_of_delta(item: Emitted) -> type[AgentDelta | AgentReasoning] | None:
    return type(item.payload) if isinstance(item.payload, DELTAS) and item.message is None else None


@overload
def outcome_of(payload: TerminalPayload) -> Outcome: ...


@overload
def outcome_of(payload: AnyPayload) -> Outcome | None: ...


def outcome_of(payload: AnyPayload) -> Outcome | None:
    """The outcome of a terminal event; `None` for any other."""
    match payload:
        case AgentCompleted():
            return Outcome.COMPLETED
        case AgentError():
            return Outcome.FAILED
        case AgentCancelled():
            return Outcome.CANCELLED
        case _:
            return None
