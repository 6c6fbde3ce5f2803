"""Limits that change at run time."""

from __future__ import annotations

import asyncio

import pytest

from emulator.faults.limits import AllLimits, LimitControl, parse_change
from emulator.faults.models import BadFault
from emulator.gateway.limits import Limits


class Port:
    """Keeps the limits it was given."""

    def __init__(self) -> None:
        self.limits = Limits()

    def limit(self, limits: Limits) -> None:
        """Keep these."""
        self.limits = limits


async def test_a_change_ends_with_its_duration_alone() -> None:
    """One limit goes back when its time is up, the other one stays until it is cleared."""
    control, port = LimitControl(AllLimits(Limits(frame_bytes=2000))), Port()
    control.serve(port)
    control.change(parse_change(b'{"limits": {"idle_timeout": 5}}'))
    control.change(parse_change(b'{"limits": {"frame_bytes": 100}, "duration_s": 0.05}'))
    assert (port.limits.idle_timeout, port.limits.frame_bytes) == (5.0, 100)
    await asyncio.sleep(0.1)
    assert (port.limits.idle_timeout, port.limits.frame_bytes) == (5.0, 2000)
    control.clear()
    assert port.limits == Limits(frame_bytes=2000)


async def test_a_later_change_replaces_the_end_of_an_earlier_one() -> None:
    """The first change's time passes without effect."""
    control, port = LimitControl(AllLimits()), Port()
    control.serve(port)
    control.change(parse_change(b'{"limits": {"frame_bytes": 100}, "duration_s": 0.05}'))
    control.change(parse_change(b'{"limits": {"frame_bytes": 200}}'))
    await asyncio.sleep(0.1)
    assert port.limits.frame_bytes == 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{}", "limits: Field required"),
        (b'{"limits": {}}', "limits"),
        (b'{"limits": {"speed": 1}}', "no limit is called 'speed'"),
        (b'{"limits": {"idle_timeout": 0}}', "must be positive"),
        (b'{"limits": {"frame_bytes": 0.5}}', "must be a whole number"),
        (b'{"limits": {"frame_bytes": 1.5}}', "must be a whole number"),
        (b'{"limits": {"concurrency": 1.5}}', "must be a whole number"),
        (b'{"limits": {"send_buffer_bytes": 1e300}}', "at most 2147483647"),
        (b'{"limits": {"idle_timeout": 1e300}}', "at most 86400"),
        (b'{"limits": {"first_retry_wait": 86401}}', "at most 86400"),
        (b'{"limits": {"frame_bytes": Infinity}}', "frame_bytes"),
        (b'{"limits": {"idle_timeout": "1"}}', "limits.idle_timeout"),
        (b'{"limits": {"idle_timeout": 1}, "count": 2}', "count: Extra inputs"),
    ],
)
async def test_a_wrong_change_is_refused_and_changes_nothing(text: bytes, said: str) -> None:
    """The reason names the limit."""
    control = LimitControl(AllLimits())
    with pytest.raises(BadFault, match=said):
        control.change(parse_change(text))
    assert control.present == AllLimits()
