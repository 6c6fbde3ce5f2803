"""What a developer imports to write an agent and its tools, and to test them.

Most agents are an `AgentDefinition` with tools. An agent with a loop of its own is an `Agent`: `run` takes a `Turn` and
yields the protocol's events; the conversation is made of `Message`s. Tests import `dayfly.agents.sdk.testing`.
"""

from dayfly.agents.notes import NoteRefused
from dayfly.agents.sdk.agent_context import AgentContext, Instructions
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.protocol import (
    Agent,
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    Delta,
    OpenCall,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
    denial_text,
)
from dayfly.agents.sdk.settings import ModelSettings
from dayfly.agents.sdk.tool_context import ToolCallOver, ToolContext, ToolError, ToolFunction, ToolRetry
from dayfly.agents.secrets import SecretMissing, SecretUnavailable
from dayfly.agents.tool_threads import run_in_thread
from dayfly.errors import AgentFailed, ModelFailed, ToolOutcomeUnknown
from dayfly.log.messages import (
    AssistantSaid,
    Decision,
    Message,
    ProviderState,
    ToolAnswered,
    ToolCall,
    ToolFile,
    ToolOutcome,
    UserSaid,
)
from dayfly.protocol.events import Finish

__all__ = [
    "Agent",
    "AgentContext",
    "AgentDefinition",
    "AgentEvent",
    "AgentFailed",
    "AgentRecipe",
    "Answered",
    "Asked",
    "AssistantSaid",
    "Decision",
    "Delta",
    "Finish",
    "Instructions",
    "Message",
    "ModelFailed",
    "ModelSettings",
    "NoteRefused",
    "OpenCall",
    "ProviderState",
    "ReasoningDelta",
    "Responded",
    "Retrying",
    "SecretMissing",
    "SecretUnavailable",
    "Thinking",
    "Tool",
    "ToolAnswered",
    "ToolCall",
    "ToolCallOver",
    "ToolContext",
    "ToolEnded",
    "ToolError",
    "ToolFile",
    "ToolFunction",
    "ToolOutcome",
    "ToolOutcomeUnknown",
    "ToolProgress",
    "ToolRetry",
    "ToolStarted",
    "Turn",
    "UserSaid",
    "denial_text",
    "run_in_thread",
]
