"""The lifecycle events a client watches: one envelope, one payload model a type."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dayfly.errors import ErrorCode


class EventType(StrEnum):
    """Every logged event's type."""

    USER_MESSAGE = "user_message"
    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    AGENT_DELTA = "agent_delta"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    APPROVAL_REQUESTED = "approval_requested"
    AGENT_RESUMED = "agent_resumed"
    AGENT_COMPLETED = "agent_completed"
    AGENT_ERROR = "agent_error"
    AGENT_CANCELLED = "agent_cancelled"


TERMINAL_TYPES = frozenset({EventType.AGENT_COMPLETED, EventType.AGENT_ERROR, EventType.AGENT_CANCELLED})
"""Exactly one of these ends a run."""

ToolStatus = Literal["ok", "error", "denied"]


class Payload(BaseModel):
    """Base of all payloads. `type` is the event's type; it stands in the envelope, not in the payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[EventType]


class UserMessage(Payload):
    """Always seq 1, written by the admission itself, so that every device sees it, queued or not."""

    type = EventType.USER_MESSAGE
    text: str
    request_id: str


class AgentStarted(Payload):
    """The engine has begun."""

    type = EventType.AGENT_STARTED
    message: str


class AgentThinking(Payload):
    """One per request to the model. `progress_percentage` is never over 95."""

    type = EventType.AGENT_THINKING
    reasoning: str
    step_number: Annotated[int, Field(ge=1)]
    progress_percentage: Annotated[int, Field(ge=0, le=95)] | None = None


class AgentDelta(Payload):
    """A piece of the answer. Consecutive pieces are merged before they get a seq."""

    type = EventType.AGENT_DELTA
    text: str


class ToolExecuting(Payload):
    """A tool is about to run. `parameters` are redacted and cut to size; the tool sees them whole."""

    type = EventType.TOOL_EXECUTING
    tool_name: str
    tool_call_id: str
    parameters: dict[str, JsonValue]


class ToolCompleted(Payload):
    """A tool has run. `result` is redacted and cut to size; the agent sees it whole. Time in milliseconds."""

    type = EventType.TOOL_COMPLETED
    tool_name: str
    tool_call_id: str
    status: ToolStatus
    result: str
    execution_time_ms: Annotated[int, Field(ge=0)]


class ApprovalRequested(Payload):
    """A tool call waits for the user. `expires_at` is RFC 3339, UTC."""

    type = EventType.APPROVAL_REQUESTED
    tool_name: str
    tool_call_id: str
    parameters: dict[str, JsonValue]
    expires_at: str


class AgentResumed(Payload):
    """A fresh engine goes on. Deltas after `discard_after` are void."""

    type = EventType.AGENT_RESUMED
    attempt: Annotated[int, Field(ge=2)]
    reason: Literal["handed_over", "engine_lost", "answered", "expired"]
    discard_after: Annotated[int, Field(ge=0)] | None = None


class Usage(BaseModel):
    """What the model counted over the whole run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class AgentCompleted(Payload):
    """The answer. With `truncated`, `result` is cut to size and the deltas hold the whole of it."""

    type = EventType.AGENT_COMPLETED
    result: str
    truncated: bool
    execution_time_ms: Annotated[int, Field(ge=0)]
    usage: Usage


class AgentError(Payload):
    """The run failed. `retryable`: sending the message again may help."""

    type = EventType.AGENT_ERROR
    code: ErrorCode
    message: str
    retryable: bool


class AgentCancelled(Payload):
    """The run was cancelled. What was said up to here stays in the history."""

    type = EventType.AGENT_CANCELLED
    execution_time_ms: Annotated[int, Field(ge=0)]


AnyPayload = (
    UserMessage
    | AgentStarted
    | AgentThinking
    | AgentDelta
    | ToolExecuting
    | ToolCompleted
    | ApprovalRequested
    | AgentResumed
    | AgentCompleted
    | AgentError
    | AgentCancelled
)
TerminalPayload = AgentCompleted | AgentError | AgentCancelled

_PAYLOADS: dict[str, type[AnyPayload]] = {
    model.type.value: model
    for model in (
        UserMessage,
        AgentStarted,
        AgentThinking,
        AgentDelta,
        ToolExecuting,
        ToolCompleted,
        ApprovalRequested,
        AgentResumed,
        AgentCompleted,
        AgentError,
        AgentCancelled,
    )
}


class Event(BaseModel):
    """One logged event in its envelope. `seq` starts at 1 in each run and has no gaps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: EventType
    run_id: str
    thread_id: str
    seq: Annotated[int, Field(ge=1)]
    timestamp: str
    agent_name: str
    payload: AnyPayload

    def encode(self) -> str:
        """The frame as it is logged and posted: compact JSON, non-ASCII raw."""
        return self.model_dump_json(exclude_none=True)


def decode_event(text: str) -> Event:
    """Reads a logged event back; the type decides the payload's model. Raises `ValueError` on anything else."""
    envelope = _Envelope.model_validate_json(text)
    payload = _PAYLOADS[envelope.type].model_validate(envelope.payload)
    return Event(**envelope.model_dump(exclude={"payload"}), payload=payload)


class _Envelope(BaseModel):
    type: EventType
    run_id: str
    thread_id: str
    seq: int
    timestamp: str
    agent_name: str
    payload: dict[str, JsonValue]
