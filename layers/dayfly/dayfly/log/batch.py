"""From what was emitted to one numbered batch: pure, and the same for the same input."""

from dataclasses import dataclass
from typing import Final, overload

from dayfly.log.fold import Began, LogStep, Said, Voided
from dayfly.log.journal import JournalEntry, JournalMessage
from dayfly.protocol.events import (
    AgentCancelled,
    AgentCompleted,
    AgentDelta,
    AgentError,
    AgentResumed,
    AnyPayload,
    Event,
    TerminalPayload,
    ToolExecuting,
)
from dayfly.store.rows import Outcome
from dayfly.text import split_text

DELTA_BYTES: Final = 24 * 1024
"""Bytes of one delta's text as a JSON string; with the envelope it stays below `limits.EVENT_BYTES`."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """One thing that was emitted: an event's payload, a journal message, or an event with the journal message that it
    completes. `timestamp` is RFC 3339, UTC, of the moment it was emitted; the tokens are a model response's."""

    payload: AnyPayload | None
    message: JournalMessage | None
    timestamp: str
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Events with their seqs, the journal entries among them, and the steps that history is folded from."""

    first: int
    last: int
    events: tuple[Event, ...]
    journal: tuple[JournalEntry, ...]
    steps: tuple[LogStep, ...]
    outcome: Outcome | None


def number(items: tuple[Emitted, ...], *, first: int, run_id: str, thread_id: str, agent_name: str) -> Batch:
    """Numbers the items from `first`. Consecutive deltas become one event (or as few as their size allows); a journal
    entry completes the event before it."""
    events: list[Event] = []
    journal: list[JournalEntry] = []
    steps: list[LogStep] = []
    outcome: Outcome | None = None
    for item in merge_deltas(items):
        if item.payload is not None:
            event = Event(
                type=item.payload.type,
                run_id=run_id,
                thread_id=thread_id,
                seq=first + len(events),
                timestamp=item.timestamp,
                agent_name=agent_name,
                payload=item.payload,
            )
            events.append(event)
            outcome = outcome or outcome_of(item.payload)
            steps.extend(step_of(event))
        if item.message is not None:
            entry = JournalEntry(first + len(events) - 1, item.message, item.input_tokens, item.output_tokens)
            journal.append(entry)
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
        case AgentResumed(discard_after=after) if after is not None:
            return (Voided(after),)
        case _:
            return ()


def merge_deltas(items: tuple[Emitted, ...]) -> tuple[Emitted, ...]:
    """Joins deltas that follow each other with nothing between, and splits what is too long for one event."""
    merged: list[Emitted] = []
    texts: list[str] = []
    since = ""
    for item in (*items, None):
        if item is not None and isinstance(item.payload, AgentDelta) and item.message is None:
            since = since or item.timestamp
            texts.append(item.payload.text)
            continue
        if texts:
            pieces = split_text("".join(texts), DELTA_BYTES)
            merged.extend(Emitted(AgentDelta(text=piece), None, since) for piece in pieces)
            texts, since = [], ""
        if item is not None:
            merged.append(item)
    return tuple(merged)


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
