"""When to paint."""

from __future__ import annotations

import io

import pytest

from emulator.console.terminal import Colours, wants_colours


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("environment", "terminal", "painted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colours_are_for_terminals_and_the_usual_variables(
    environment: dict[str, str], terminal: bool, painted: bool
) -> None:
    """NO_COLOR wins over FORCE_COLOR, which wins over what the stream is."""
    assert wants_colours(Terminal() if terminal else io.StringIO(), environment) is painted


def test_nothing_is_painted_when_off() -> None:
    """The text stays as it is."""
    assert Colours(on=False).paint("x", "31") == "x"
    assert Colours(on=True).paint("x", "31") == "\x1b[31mx\x1b[0m"
