"""What functions are invoked with is read strictly."""

import json
from pathlib import Path
from typing import Any

import pytest

from dayfly.aws.invocation_payloads import (
    FailureNotice,
    RunPayload,
    ScheduledEvent,
    UnreadablePayload,
    WarmUpPayload,
    engine_payload,
    recovery_event,
)

EVENTS = Path(__file__).parents[3] / "events"


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


def test_the_sample_events_are_read() -> None:
    """The event files hold what these functions are invoked with."""
    assert isinstance(engine_payload(sample("engine")), RunPayload)
    assert isinstance(engine_payload(sample("engine-handed-over")), RunPayload)
    assert isinstance(engine_payload(sample("warm-up")), WarmUpPayload)
    assert isinstance(recovery_event(sample("sweep")), ScheduledEvent)
    notice = recovery_event(sample("on-failure"))
    assert isinstance(notice, FailureNotice)
    assert isinstance(notice.request_payload, RunPayload)
    assert notice.timed_out
    assert not notice.never_ran


def test_an_expired_event_never_ran() -> None:
    """Lambda tells an invocation that failed from one that waited too long; then there is no response."""
    notice = recovery_event(sample("on-failure-expired"))
    assert isinstance(notice, FailureNotice)
    assert notice.never_ran
    assert not notice.timed_out


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "walk"},
        {"attempt": 0},
        {"attempt": "1"},
        {"attempt": True},
        {"first_seq": 1},
        {"user": None},
        {"user": 7},
        {"role": "admin"},
    ],
    ids=str,
)
def test_a_wrong_engine_payload_is_refused(change: dict[str, object]) -> None:
    """A field that is missing, of another type, out of range or unknown makes the payload unreadable."""
    with pytest.raises(UnreadablePayload):
        engine_payload({**sample("engine"), **change})


@pytest.mark.parametrize("event", [None, [], "run", {}, {"kind": "run"}], ids=repr)
def test_what_is_no_payload_is_refused(event: object) -> None:
    """Neither function takes anything else."""
    with pytest.raises(UnreadablePayload):
        engine_payload(event)
    with pytest.raises(UnreadablePayload):
        recovery_event(event)


def test_a_refusal_names_fields_and_no_values() -> None:
    """The error may be logged, so it holds nothing of the payload."""
    with pytest.raises(UnreadablePayload) as raised:
        engine_payload({**sample("engine"), "attempt": "s3cret", "user": 7})
    assert str(raised.value) == "run.user, run.attempt"
    with pytest.raises(UnreadablePayload) as raised:
        recovery_event({"source": "s3cret"})
    assert "ScheduledEvent.source, ScheduledEvent.detail-type" in str(raised.value)
    assert "s3cret" not in str(raised.value)
