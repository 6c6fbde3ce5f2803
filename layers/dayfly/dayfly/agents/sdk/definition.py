"""An agent and its tools, as a developer declares them."""

import math
import re
from dataclasses import KW_ONLY, dataclass
from typing import Final

from dayfly.agents.sdk.agent_context import Instructions
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.agents.sdk.tool_context import ToolFunction
from dayfly.errors import ConfigurationError

MAX_MODEL_REQUESTS: Final = 20
TOOL_RETRIES: Final = 2

_TOOL_NAME: Final = r"[a-zA-Z][a-zA-Z0-9_]{0,63}"
"""What every provider takes as a tool's name.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function, and what the backend has to know of it. In `AgentDefinition.tools` a bare function stands for
    `Tool(function)`.

    Args:
        function: Has type hints, and a docstring by which the model chooses it.
        requires_approval: Each call waits until the user has allowed it.
        idempotent: Carried out twice, it does no more than once. If an engine is lost, or its time is over, while the
            tool runs, it may then run again; with any other tool the run ends with `tool_outcome_unknown`. A function
            is idempotent if it hands its `ToolContext.idempotency_key` on to whatever must not happen twice.
        timeout_s: Seconds that a call may take, if it is limited. After these an async function is cancelled and a
            plain one left to its thread, which nothing can stop (so its process serves no other run); the model is
            told.
        retries: In how many model responses in a row the tool may ask the model to correct its call (`ToolRetry`),
            before that counts as failed.

    Raises:
        ConfigurationError: It is no function with a usable name and a docstring, a flag is neither True nor False, or a
            number is none.
    """

    function: ToolFunction
    _: KW_ONLY
    requires_approval: bool = False
    idempotent: bool = False
    timeout_s: float | None = None
    retries: int = TOOL_RETRIES

    def __post_init__(self) -> None:
        name = getattr(self.function, "__name__", "")
        if not callable(self.function) or not re.fullmatch(_TOOL_NAME, name):
            raise ConfigurationError(f"a tool is a named function, not {self.function!r}")
        if not (self.function.__doc__ or "").strip():
            raise ConfigurationError(f"the tool {name} has a docstring: the model chooses by it")
        for flag in ("requires_approval", "idempotent"):
            if not isinstance(getattr(self, flag), bool):
                raise ConfigurationError(f"the tool {name}: {flag} is True or False, not {getattr(self, flag)!r}")
        if self.timeout_s is not None and not _is_duration(self.timeout_s):
            raise ConfigurationError(f"the tool {name}: timeout_s is seconds, above 0, not {self.timeout_s!r}")
        if not isinstance(self.retries, int) or isinstance(self.retries, bool) or self.retries < 0:
            raise ConfigurationError(f"the tool {name}: retries is a whole number from 0, not {self.retries!r}")

    @classmethod
    def of(cls, tool: "ToolFunction | Tool") -> "Tool":
        """The tool itself, or the one that a bare function stands for."""
        return tool if isinstance(tool, Tool) else cls(tool)

    @property
    def name(self) -> str:
        """The name by which the model calls it: the function's."""
        return self.function.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefinition:
    """An agent: a module in the agents' folder has one, named `agent`; the module's name is the agent's.

    Args:
        instructions: Given to the model with every request: a text, or a function that is called with an
            `AgentContext` once in each attempt of a run, and gives the text.
        tools: Plain or async functions, or such a function in a `Tool` that says more of it.
        model: Overrides the `MODEL` setting: `demo`, or `<provider>:<model id>`.
        settings: How the model is asked; what is None here is the deployment's.
        max_model_requests: The run ends with `agent_failed` after so many, over all of its attempts.
        output: The type of the answer, if it is to be structured: a pydantic model, a dataclass or a `TypedDict`. The
            model is asked for it, and asked again where its answer does not fit; clients get it as JSON.
        show_reasoning: Whether clients are shown what the model itself reasons, if the deployment shows it at all.

    Raises:
        ConfigurationError: The instructions are neither text nor a function, the model is no text, the settings are
            none, a tool is named twice, or the output is no type.
    """

    instructions: str | Instructions
    tools: tuple[ToolFunction | Tool, ...] = ()
    model: str | None = None
    settings: ModelSettings | None = None
    max_model_requests: int = MAX_MODEL_REQUESTS
    output: type | None = None
    show_reasoning: bool = True

    def __post_init__(self) -> None:
        if not (self.instructions.strip() if isinstance(self.instructions, str) else callable(self.instructions)):
            raise ConfigurationError("an agent has instructions")
        if not isinstance(self.model, str | None):
            raise ConfigurationError("model is a text such as `demo`")
        if not isinstance(self.settings, ModelSettings | None):
            raise ConfigurationError("settings are ModelSettings(...)")
        if self.max_model_requests < 1:
            raise ConfigurationError("max_model_requests is at least 1")
        if not isinstance(self.output, type | None):
            raise ConfigurationError(f"output is a type, not {self.output!r}")
        if not isinstance(self.show_reasoning, bool):
            raise ConfigurationError(f"show_reasoning is True or False, not {self.show_reasoning!r}")
        names = [tool.name for tool in self.toolkit]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ConfigurationError(f"tools named twice: {', '.join(sorted(twice))}")

    @property
    def toolkit(self) -> tuple[Tool, ...]:
        """All tools, each as a `Tool`."""
        return tuple(Tool.of(tool) for tool in self.tools)


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0 and math.isfinite(value)
