"""Faults that stand from the start."""

from __future__ import annotations

import pytest

from emulator.faults.models import EventDelayed, PostThrottled
from emulator.options import parse


def test_faults_are_read_from_the_command_line() -> None:
    """Several in one option or in several options."""
    one, two = '{"kind": "post_throttled", "count": 3}', '{"kind": "event_delayed", "delay_s": 0.5}'
    expected = (PostThrottled(count=3), EventDelayed(delay_s=0.5))
    assert parse(["--fault", one, two]).faults == expected
    assert parse(["--fault", one, "--fault", two]).faults == expected


@pytest.mark.parametrize("text", ["x", '{"kind": "earthquake"}', '{"kind": "close_sockets"}'])
def test_a_wrong_fault_ends_with_a_usage_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, the text in the message."""
    with pytest.raises(SystemExit) as ended:
        parse(["--fault", text])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err
