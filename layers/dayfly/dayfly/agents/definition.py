"""What a developer writes: instructions and tools."""

import re
from dataclasses import dataclass
from typing import Final

from dayfly.agents.tool_context import TOOL_NAME_PATTERN, ToolFunction
from dayfly.errors import ConfigurationError

MAX_MODEL_REQUESTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefinition:
    """An agent: a module in the agents' folder has one, named `agent`; the module's name is the agent's.

    `instructions` are given to the model with every request. `tools` are plain or async functions. `model` overrides
    the `MODEL` setting (`demo`, `bedrock:<id>`, `openai:<id>`). `max_model_requests` ends a run that goes in circles.
    Raises `ConfigurationError` for empty instructions, a model that is no text, a tool without a usable name or a
    docstring, or one named twice.
    """

    instructions: str
    tools: tuple[ToolFunction, ...] = ()
    model: str | None = None
    max_model_requests: int = MAX_MODEL_REQUESTS

    def __post_init__(self) -> None:
        if not self.instructions.strip():
            raise ConfigurationError("an agent has instructions")
        if not isinstance(self.model, str | None):
            raise ConfigurationError("model is a text such as `demo`")
        if self.max_model_requests < 1:
            raise ConfigurationError("max_model_requests is at least 1")
        names = [_tool_name(tool) for tool in self.tools]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConfigurationError(f"tools named twice: {', '.join(sorted(twice))}")


def _tool_name(tool: ToolFunction) -> str:
    name = getattr(tool, "__name__", "")
    if not re.fullmatch(TOOL_NAME_PATTERN, name):
        raise ConfigurationError(f"a tool is a named function, not {tool!r}")
    if not (tool.__doc__ or "").strip():
        raise ConfigurationError(f"the tool {name} has a docstring: the model chooses by it")
    return name
