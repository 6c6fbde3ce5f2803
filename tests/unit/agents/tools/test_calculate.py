"""Arithmetic as a tool."""

import pytest

from dayfly.agents.tool_context import ToolError
from dayfly.agents.tools.calculate import calculate


def test_it_answers_with_the_value() -> None:
    """The value alone, as text."""
    assert calculate("17 * 23") == "391"


def test_a_refusal_is_the_tools_clear_no() -> None:
    """What cannot be calculated is said, not raised as something unexpected."""
    with pytest.raises(ToolError, match="Division by zero"):
        calculate("1 / 0")
