"""Arithmetic as a tool."""

import pytest

from dayfly.agents.sdk.tool_context import ToolError
from dayfly.agents.tools.calculate import calculate


def test_it_answers_with_the_value() -> None:
    """The value alone, as text."""
    assert calculate("17 * 23") == "391"


def test_a_power_that_outgrows_everything_is_refused_clearly() -> None:
    """The bound of the work answers with its reason."""
    with pytest.raises(ToolError, match="more than 1000 digits"):
        calculate("9**9**9**9")


def test_a_refusal_is_the_tools_clear_no() -> None:
    """What cannot be calculated is said, not raised as something unexpected."""
    with pytest.raises(ToolError, match="Division by zero"):
        calculate("1 / 0")
