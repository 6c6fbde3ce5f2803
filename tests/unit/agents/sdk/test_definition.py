"""What a developer writes."""

import functools

import pytest

from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.tool import Tool
from dayfly.agents.sdk.tool_context import ToolFunction
from dayfly.errors import ConfigurationError


def tool() -> str:
    """Is a tool."""
    return ""


def silent() -> str:
    return ""


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ((tool, tool), "twice"),
        ((tool, Tool(tool)), "twice"),
        ((silent,), "docstring"),
        ((lambda: "",), "named"),
        ((functools.partial(tool),), "named"),
    ],
)
def test_tools_that_cannot_be_told_apart_or_chosen(tools: tuple[ToolFunction | Tool, ...], why: str) -> None:
    """Refused where they are written down."""
    with pytest.raises(ConfigurationError, match=why):
        AgentDefinition(instructions="Help.", tools=tools)


def test_instructions_and_a_limit_are_needed() -> None:
    """Empty instructions, or no request at all, make no agent."""
    with pytest.raises(ConfigurationError, match="instructions"):
        AgentDefinition(instructions=" ")
    with pytest.raises(ConfigurationError, match="max_model_requests"):
        AgentDefinition(instructions="Help.", max_model_requests=0)


def test_a_bare_function_needs_no_approval_and_is_not_idempotent() -> None:
    """Unless it is said, neither is assumed."""
    definition = AgentDefinition(instructions="Help.", tools=(tool,))
    assert definition.toolkit == (Tool(tool, requires_approval=False, idempotent=False),)
