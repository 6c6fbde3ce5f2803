"""Events: one envelope, one payload a type."""

import json

import pytest
from pydantic import ValidationError

from dayfly.errors import ErrorCode
from dayfly.protocol import events
from dayfly.protocol.events import TERMINAL_TYPES, AnyPayload, Event, EventType, decode_event
from scripts.protocol_docs.examples import of_event

DELTA = events.AgentDelta(text="x")
THINKING = events.AgentThinking(reasoning="…", step_number=1)
PAYLOADS: list[AnyPayload] = [
    *(of_event(payload).payload for payload in events.PAYLOADS.values()),
    events.UserMessage(text="Hi é 😀 \u2028", request_id="q-1"),
    THINKING,
    events.AgentThinking(reasoning="…", step_number=2, progress_percentage=95),
    events.ToolExecuting(tool_name="t", tool_call_id="c", parameters={"a": None, "b": [None, {"c": 1.5}]}),
    events.ToolCompleted(tool_name="t", tool_call_id="c", status="denied", result="", execution_time_ms=0),
    events.ApprovalRequested(tool_name="t", tool_call_id="c", parameters={}, expires_at="2026-01-01T00:00:00.000Z"),
    events.AgentResumed(attempt=2, reason="engine_lost"),
    events.AgentResumed(attempt=3, reason="handed_over", discard_after=0),
    events.AgentCompleted(result="x", truncated=True, execution_time_ms=1, usage=events.Usage(requests=1)),
    events.AgentError(code=ErrorCode.AGENT_FAILED, message="x", retryable=False),
]
"""The example of each type, and what the examples leave out."""


def event(payload: AnyPayload) -> Event:
    return Event(
        type=payload.type,
        run_id="r-1",
        thread_id="t-1",
        seq=5,
        timestamp="2026-11-22T10:00:00.123Z",
        agent_name="assistant",
        payload=payload,
    )


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.type)
def test_an_event_reads_back_as_it_was_written(payload: AnyPayload) -> None:
    """Each type survives the log: the same event, with the same payload model."""
    read = decode_event(event(payload).encode())
    assert read == event(payload)
    assert type(read.payload) is type(payload)


def test_every_type_has_its_payload() -> None:
    """The payloads are one for each type, and three of them end a run."""
    assert list(events.PAYLOADS) == list(EventType)
    assert {payload.type for payload in PAYLOADS} == set(EventType)
    assert {kind.value for kind in TERMINAL_TYPES} == {"agent_completed", "agent_error", "agent_cancelled"}


def test_the_envelope() -> None:
    """The frame has the envelope's fields and nothing else; fields that are not set are left out; non-ASCII is raw."""
    text = event(THINKING).encode()
    assert json.loads(text) == {
        "type": "agent_thinking",
        "run_id": "r-1",
        "thread_id": "t-1",
        "seq": 5,
        "timestamp": "2026-11-22T10:00:00.123Z",
        "agent_name": "assistant",
        "payload": {"reasoning": "…", "step_number": 1},
    }
    assert "…" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        event(DELTA).encode().replace("agent_delta", "agent_flying"),
        event(DELTA).encode().replace("agent_delta", "agent_error"),
        event(DELTA).encode().replace('"seq":5', '"seq":0'),
    ],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    """A record that is not an event of its type raises `ValueError`; the one that these are made from is read."""
    assert decode_event(event(DELTA).encode()) == event(DELTA)
    with pytest.raises(ValidationError):
        decode_event(text)


def test_progress_is_never_over_95() -> None:
    """A run is not done until it is done."""
    assert events.AgentThinking(reasoning="…", step_number=1, progress_percentage=95).progress_percentage == 95
    with pytest.raises(ValidationError, match="less than or equal to 95"):
        events.AgentThinking(reasoning="…", step_number=1, progress_percentage=96)
