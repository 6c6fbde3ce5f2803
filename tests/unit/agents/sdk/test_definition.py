"""An agent and its tools, as a developer declares them."""

import dataclasses
import functools
import math

import pytest

from dayfly.agents.sdk.definition import AgentDefinition, Tool
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


def test_it_has_the_functions_name() -> None:
    """By which the model calls it."""
    assert Tool(tool, requires_approval=True).name == "tool"


def test_it_is_frozen() -> None:
    """What was declared stays so."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tool(tool).idempotent = True  # type: ignore[misc]


def test_of_wraps_only_what_is_bare() -> None:
    """A declared tool keeps what was declared."""
    declared = Tool(tool, idempotent=True)
    assert Tool.of(declared) is declared
    assert Tool.of(tool) == Tool(tool)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (silent, "the tool silent has a docstring"),
        (lambda: "", "a named function"),
        (functools.partial(tool), "a named function"),
        (math, "a named function"),
        (Tool(tool), "a named function"),
        ("tool", "a named function"),
    ],
)
def test_what_is_no_tool(function: object, why: str) -> None:
    """Refused where it is written down."""
    with pytest.raises(ConfigurationError, match=why):
        Tool(function)  # type: ignore[arg-type]


@pytest.mark.parametrize("flag", ["requires_approval", "idempotent"])
def test_a_flag_is_true_or_false(flag: str) -> None:
    """Text that looks like a flag is a mistake; the error names tool and flag."""
    with pytest.raises(ConfigurationError, match=f"the tool tool: {flag} is True or False, not 'no'"):
        Tool(tool, **{flag: "no"})  # type: ignore[arg-type]
