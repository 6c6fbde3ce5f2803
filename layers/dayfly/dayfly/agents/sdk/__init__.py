"""What a developer imports to write an agent and its tools, and to test them.

Most agents are an `AgentDefinition` with tools. An agent with a loop of its own is an `Agent`: `run` takes a `Turn` and
yields the protocol's events; the conversation is made of `Message`s. Tests import `dayfly.agents.sdk.testing`.
"""

from dayfly.agents.notes import NoteRefused
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.protocol import (
    Agent,
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    Delta,
    OpenCall,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
    denial_text,
)
from dayfly.agents.sdk.tool_context import ToolContext, ToolError, ToolFunction
from dayfly.agents.tool_threads import run_in_thread
from dayfly.errors import AgentFailed, ModelFailed, ToolOutcomeUnknown
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolCall, ToolOutcome, UserSaid

__all__ = [
    "Agent",
    "AgentDefinition",
    "AgentEvent",
    "AgentFailed",
    "AgentRecipe",
    "Answered",
    "Asked",
    "AssistantSaid",
    "Decision",
    "Delta",
    "Message",
    "ModelFailed",
    "NoteRefused",
    "OpenCall",
    "Responded",
    "Thinking",
    "Tool",
    "ToolAnswered",
    "ToolCall",
    "ToolContext",
    "ToolEnded",
    "ToolError",
    "ToolFunction",
    "ToolOutcome",
    "ToolOutcomeUnknown",
    "ToolStarted",
    "Turn",
    "UserSaid",
    "denial_text",
    "run_in_thread",
]
