"""Numbering and merging: pure."""

import random

import pytest

from dayfly.errors import ErrorCode
from dayfly.log.batch import Batch, Emitted, number
from dayfly.log.fold import Said
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid
from dayfly.protocol.events import (
    AgentCancelled,
    AgentCompleted,
    AgentDelta,
    AgentError,
    AgentThinking,
    AnyPayload,
    Usage,
)
from dayfly.protocol.limits import EVENT_BYTES


def delta(text: str, at: str = "t") -> Emitted:
    return Emitted(AgentDelta(text=text), None, at)


def thinking(step: int = 1) -> Emitted:
    return Emitted(AgentThinking(reasoning="…", step_number=step), None, "t")


def numbered(*items: Emitted, first: int = 5) -> Batch:
    return number(items, first=first, run_id="r", thread_id="t", agent_name="a")


def test_deltas_that_follow_each_other_are_one_event() -> None:
    """Consecutive deltas become one event, with the first one's time; what stands between keeps them apart."""
    batch = numbered(delta("a", "1"), delta("b", "2"), thinking(), delta("c", "3"))
    assert [event.payload for event in batch.events] == [
        AgentDelta(text="ab"),
        AgentThinking(reasoning="…", step_number=1),
        AgentDelta(text="c"),
    ]
    assert [event.timestamp for event in batch.events] == ["1", "t", "3"]
    assert [event.seq for event in batch.events] == [5, 6, 7]
    assert (batch.first, batch.last) == (5, 7)
    assert batch.steps == (Said(5, "ab"), Said(7, "c"))


def test_a_journal_message_completes_the_event_before_it() -> None:
    """A journal entry names the seq of the event before it; one that is first names the seq before the batch."""
    said = AssistantSaid("ab")
    message = Emitted(None, said, "t")
    batch = numbered(message, delta("ab"), message, thinking())
    assert batch.journal == (JournalEntry(4, said), JournalEntry(5, said))
    assert batch.steps == (JournalEntry(4, said), Said(5, "ab"), JournalEntry(5, said))
    assert (batch.first, batch.last) == (5, 6)


@pytest.mark.parametrize("character", ["x", "é", "😀", '"', "\x01"])
def test_long_text_is_split_into_events_that_fit(character: str) -> None:
    """However it is written in JSON, a long text is split into events within their size, without a loss."""
    text = character * 60_000
    batch = numbered(delta(text[:100]), delta(text[100:]))
    assert "".join(step.text for step in batch.steps if isinstance(step, Said)) == text
    assert all(len(event.encode().encode()) <= EVENT_BYTES for event in batch.events)
    assert [event.seq for event in batch.events] == list(range(5, 5 + len(batch.events)))


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        (AgentCompleted(result="", truncated=False, execution_time_ms=0, usage=Usage()), "completed"),
        (AgentError(code=ErrorCode.AGENT_FAILED, message="", retryable=False), "failed"),
        (AgentCancelled(execution_time_ms=0), "cancelled"),
        (AgentDelta(text="x"), None),
    ],
)
def test_a_terminal_event_gives_the_outcome(payload: AnyPayload, outcome: str | None) -> None:
    """A batch's outcome is that of its terminal event."""
    assert numbered(thinking(), Emitted(payload, None, "t")).outcome == outcome


def test_any_mixture_is_gap_free_and_whole() -> None:
    """Whatever is emitted, seqs have no gaps, no delta follows another within size, and no text is lost."""
    dice = random.Random(7)
    for _ in range(200):
        items = tuple(
            dice.choice(
                [delta(dice.choice("aé\n") * dice.randrange(1, 4)), thinking(), Emitted(None, AssistantSaid("x"), "t")]
            )
            for _ in range(dice.randrange(12))
        )
        batch = numbered(*items)
        assert [event.seq for event in batch.events] == list(range(5, 5 + len(batch.events)))
        assert batch.last == 4 + len(batch.events)
        said = "".join(item.payload.text for item in items if isinstance(item.payload, AgentDelta))
        assert "".join(e.payload.text for e in batch.events if isinstance(e.payload, AgentDelta)) == said
        entries = [entry.completes for entry in batch.journal]
        assert entries == sorted(entries)
