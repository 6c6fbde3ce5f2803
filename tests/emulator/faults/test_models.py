"""The closed union of faults, read from JSON."""

from __future__ import annotations

import pytest

from emulator.faults.models import (
    BadFault,
    CloseSockets,
    EventLost,
    PostDelayed,
    parse_fault,
    parse_standing,
)


def test_a_kind_selects_its_model() -> None:
    """`kind` decides which fields there are; whole numbers do for seconds."""
    assert parse_fault('{"kind": "event_lost", "function": "f", "count": 2}') == EventLost(function="f", count=2)
    assert parse_fault('{"kind": "post_delayed", "delay_s": 1}') == PostDelayed(delay_s=1.0)
    assert parse_fault('{"kind": "close_sockets", "code": 4000}') == CloseSockets(code=4000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid JSON"),
        ("[]", "object"),
        ("{}", "'kind'"),
        ('{"kind": "earthquake"}', "earthquake"),
        ('{"kind": "post_gone", "function": "f"}', "function: Extra inputs are not permitted"),
        ('{"kind": "post_delayed"}', "delay_s: Field required"),
        ('{"kind": "post_delayed", "delay_s": -1}', "delay_s"),
        ('{"kind": "post_gone", "count": 0}', "count"),
        ('{"kind": "post_gone", "count": "3"}', "count"),
        ('{"kind": "post_gone", "duration_s": 0}', "duration_s"),
        ('{"kind": "close_sockets", "code": 1006}', "no server may send 1006"),
        ('{"kind": "close_sockets", "count": 1}', "count: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_fault_is_refused_with_its_reason(text: str, said: str) -> None:
    """One line names the field and what is wrong with it."""
    with pytest.raises(BadFault, match=said) as refused:
        parse_fault(text)
    assert "\n" not in str(refused.value)


def test_an_action_cannot_stand() -> None:
    """On the command line there is nothing yet to close or to kill."""
    with pytest.raises(BadFault, match="close_sockets"):
        parse_standing('{"kind": "close_sockets"}')
