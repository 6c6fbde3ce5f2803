"""What a developer writes: instructions and tools."""

from dataclasses import dataclass
from typing import Final

from dayfly.agents.sdk.tool import Tool
from dayfly.agents.sdk.tool_context import ToolFunction
from dayfly.errors import ConfigurationError

MAX_MODEL_REQUESTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefinition:
    """An agent: a module in the agents' folder has one, named `agent`; the module's name is the agent's.

    `instructions` are given to the model with every request. `tools` are plain or async functions, or such a function
    in a `Tool` that says more of it. `model` overrides the `MODEL` setting (`demo`, `bedrock:<id>`, `openai:<id>`).
    `max_model_requests` ends a run that goes in circles, all of its attempts counted. Raises `ConfigurationError` for
    empty instructions, a model that is no text, a tool without a usable name or a docstring, or one named twice.
    """

    instructions: str
    tools: tuple[ToolFunction | Tool, ...] = ()
    model: str | None = None
    max_model_requests: int = MAX_MODEL_REQUESTS

    def __post_init__(self) -> None:
        if not self.instructions.strip():
            raise ConfigurationError("an agent has instructions")
        if not isinstance(self.model, str | None):
            raise ConfigurationError("model is a text such as `demo`")
        if self.max_model_requests < 1:
            raise ConfigurationError("max_model_requests is at least 1")
        names = [tool.name for tool in self.toolkit]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConfigurationError(f"tools named twice: {', '.join(sorted(twice))}")

    @property
    def toolkit(self) -> tuple[Tool, ...]:
        """All tools, each as a `Tool`."""
        return tuple(Tool.of(tool) for tool in self.tools)
