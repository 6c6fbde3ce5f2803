"""The quotas and how they are shortened."""

from __future__ import annotations

import pytest

from emulator.gateway.limits import Limits


def test_the_defaults_are_awss_quotas() -> None:
    """29 s, 10 minutes, 2 hours, 32 KB a frame, 128 KB a message."""
    limits = Limits()
    assert (limits.integration_timeout, limits.idle_timeout, limits.connection_duration) == (29, 600, 7200)
    assert (limits.frame_bytes, limits.message_bytes) == (32768, 131072)


def test_a_limit_is_shortened_by_name() -> None:
    """Sizes stay whole numbers."""
    limits = Limits().shortened("idle_timeout", 0.5).shortened("frame_bytes", 1024.0)
    assert (limits.idle_timeout, limits.frame_bytes) == (0.5, 1024)
    assert isinstance(limits.frame_bytes, int)


@pytest.mark.parametrize(("name", "value"), [("speed", 1), ("idle_timeout", 0)])
def test_an_unknown_limit_or_a_useless_value_is_refused(name: str, value: float) -> None:
    """The message names the limit."""
    with pytest.raises(ValueError, match=name):
        Limits().shortened(name, value)
