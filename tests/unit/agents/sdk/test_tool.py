"""A tool as a developer declares it."""

import dataclasses
import functools
import math

import pytest

from dayfly.agents.sdk.tool import Tool
from dayfly.errors import ConfigurationError


def buy() -> str:
    """Buys."""
    return ""


def silent() -> str:
    return ""


def test_it_has_the_functions_name() -> None:
    """By which the model calls it."""
    assert Tool(buy, requires_approval=True).name == "buy"


def test_it_is_frozen() -> None:
    """What was declared stays so."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tool(buy).idempotent = True  # type: ignore[misc]


def test_of_wraps_only_what_is_bare() -> None:
    """A declared tool keeps what was declared."""
    declared = Tool(buy, idempotent=True)
    assert Tool.of(declared) is declared
    assert Tool.of(buy) == Tool(buy)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (silent, "the tool silent has a docstring"),
        (lambda: "", "a named function"),
        (functools.partial(buy), "a named function"),
        (math, "a named function"),
        (Tool(buy), "a named function"),
        ("buy", "a named function"),
    ],
)
def test_what_is_no_tool(function: object, why: str) -> None:
    """Refused where it is written down."""
    with pytest.raises(ConfigurationError, match=why):
        Tool(function)  # type: ignore[arg-type]


@pytest.mark.parametrize("flag", ["requires_approval", "idempotent"])
def test_a_flag_is_true_or_false(flag: str) -> None:
    """Text that looks like a flag is a mistake; the error names tool and flag."""
    with pytest.raises(ConfigurationError, match=f"the tool buy: {flag} is True or False, not 'no'"):
        Tool(buy, **{flag: "no"})  # type: ignore[arg-type]
