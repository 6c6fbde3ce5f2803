"""The lifecycle events a client watches: one envelope, one payload model a type."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dayfly.errors import ErrorCode


class EventType(StrEnum):
    """Every logged event's type."""

    USER_MESSAGE = "user_message"
    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    AGENT_REASONING = "agent_reasoning"
    AGENT_DELTA = "agent_delta"
    AGENT_RETRYING = "agent_retrying"
    TOOL_EXECUTING = "tool_executing"
    TOOL_PROGRESS = "tool_progress"
    TOOL_COMPLETED = "tool_completed"
    APPROVAL_REQUESTED = "approval_requested"
    AGENT_RESUMED = "agent_resumed"
    AGENT_COMPLETED = "agent_completed"
    AGENT_ERROR = "agent_error"
    AGENT_CANCELLED = "agent_cancelled"


ToolStatus = Literal["ok", "error", "denied"]
ResumeReason = Literal["handed_over", "engine_lost", "answered", "expired"]
RetryReason = Literal[
    "throttled",
    "unavailable",
    "connection_lost",
    "timed_out",
    "cut_off",
    "no_answer",
    "too_long",
    "restated",
    "not_fitting",
]


class Finish(StrEnum):
    """How the model's last response ended. Only `complete` is a whole answer."""

    COMPLETE = "complete"
    """The model had said all."""
    LENGTH = "length"
    """The limit of output tokens cut the answer off: a further message in the thread can ask to go on."""
    CONTEXT_WINDOW = "context_window"
    """The conversation and the answer together filled the model's context window."""
    FILTERED = "filtered"
    """A content filter or guardrail of the provider held back the answer or the rest of it."""
    REFUSED = "refused"
    """The model itself declined to answer."""
    OTHER = "other"
    """The provider named an ending that is none of these."""


class Payload(BaseModel):
    """Base of all payloads. `type` is the event's type; it stands in the envelope, not in the payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[EventType]


class UserMessage(Payload):
    """Always seq 1, written by the admission itself, so that every device sees it, queued or not."""

    type = EventType.USER_MESSAGE
    text: str
    """The user's message as sent."""
    request_id: str
    """The `id` of the `run` that brought it: by this the sender knows its own message again."""


class AgentStarted(Payload):
    """The engine has begun."""

    type = EventType.AGENT_STARTED
    message: str
    """One sentence for people."""


class AgentThinking(Payload):
    """One per request to the model. `progress_percentage` is never over 95."""

    type = EventType.AGENT_THINKING
    reasoning: str
    """What the agent is about to do, for people."""
    step_number: Annotated[int, Field(ge=1)]
    """Counts the run's requests to the model, from 1."""
    progress_percentage: Annotated[int, Field(ge=0, le=95)] | None = None
    """A rough guess; absent where there is none."""


class AgentReasoning(Payload):
    """A piece of what the model itself reasons before it answers, where it shows that; `agent_thinking` says that a
    request was made. No part of the answer. Consecutive pieces are merged before they get a seq."""

    type = EventType.AGENT_REASONING
    text: str
    """To be appended to the reasoning that came before in the same request to the model."""


class AgentDelta(Payload):
    """A piece of the answer. Consecutive pieces are merged before they get a seq."""

    type = EventType.AGENT_DELTA
    text: str
    """To be appended to what came before."""


class AgentRetrying(Payload):
    """A request to the model failed in a way that may pass, and is made again within the run. Deltas, and pieces of
    reasoning, after `discard_after` are void."""

    type = EventType.AGENT_RETRYING
    reason: RetryReason
    """Why: the provider has too many requests, is not available, the connection broke off, nothing came in time, the
    response ended before it was whole, it held no answer, the conversation was too long and is sent shortened, or the
    answer was not of the form that the agent wants (`not_fitting`), and the model is told so. With `restated` nothing
    failed and nothing is sent again: what was shown as the answer turned out to be reasoning, and follows as that."""
    retry: Annotated[int, Field(ge=1)]
    """Counts the retries of this request to the model, from 1."""
    delay_ms: Annotated[int, Field(ge=0)]
    """Milliseconds until the request is made again."""
    discard_after: Annotated[int, Field(ge=0)] = 0
    """Drop the text of deltas and reasoning with a higher seq that came before this event."""


class ToolExecuting(Payload):
    """A tool is about to run. `parameters` are redacted and cut to size; the tool sees them whole."""

    type = EventType.TOOL_EXECUTING
    tool_name: str
    """The tool."""
    tool_call_id: str
    """Ties this call's events together."""
    parameters: dict[str, JsonValue]
    """What the tool is called with: redacted, cut to size."""


class ToolProgress(Payload):
    """A running tool tells how far it is."""

    type = EventType.TOOL_PROGRESS
    tool_name: str
    """The tool."""
    tool_call_id: str
    """Ties this call's events together."""
    message: str
    """For people, cut to size. It replaces the one before."""


class FileReference(BaseModel):
    """An image or another file that a tool has made: where it is, never what is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """For people."""
    media_type: str
    """Such as `image/png`."""
    bytes: Annotated[int, Field(ge=0)] | None = None
    """Its size; absent where the tool did not say."""
    url: str | None = None
    """Where it is kept (`https:`, `http:` or `s3:`); absent where the tool has stored it nowhere, or where the URL is
    longer than 2 KB."""


class ToolCompleted(Payload):
    """A tool has run, or a call has ended without: the user did not approve it, or it named no tool, or its arguments
    do not fit; then no `tool_executing` came before. `result` is redacted and cut to size; the agent sees it whole."""

    type = EventType.TOOL_COMPLETED
    tool_name: str
    """The tool."""
    tool_call_id: str
    """Ties this call's events together."""
    status: ToolStatus
    """`error`: the tool failed, or could not be called so; the agent was told. `denied`: the user did not approve."""
    result: str
    """What the tool returned, as text: redacted, cut to size."""
    execution_time_ms: Annotated[int, Field(ge=0)]
    """Milliseconds that the tool took."""
    files: tuple[FileReference, ...] | None = None
    """The files that belong to the result, 4 at most; absent where there are none."""


class ApprovalRequested(Payload):
    """A tool call waits for the user. `expires_at` is RFC 3339, UTC."""

    type = EventType.APPROVAL_REQUESTED
    tool_name: str
    """The tool."""
    tool_call_id: str
    """Ties this call's events together."""
    parameters: dict[str, JsonValue]
    """What the tool would be called with: redacted, cut to size."""
    expires_at: str
    """After this the call counts as denied."""


class AgentResumed(Payload):
    """A fresh engine goes on. Deltas after `discard_after` are void."""

    type = EventType.AGENT_RESUMED
    attempt: Annotated[int, Field(ge=2)]
    """Counts the run's engines; the first one is 1."""
    reason: ResumeReason
    """Why a fresh engine goes on: the one before ran out of time or was lost; the user answered, or did not in time."""
    discard_after: Annotated[int, Field(ge=0)] | None = None
    """Drop the text of deltas with a higher seq that came before this event."""


class Usage(BaseModel):
    """What the model counted over the whole run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int = 0
    """Requests to the model that came to a response."""
    input_tokens: int = 0
    """Tokens that the model read."""
    output_tokens: int = 0
    """Tokens that the model wrote."""
    cache_read_tokens: int = 0
    """Of `input_tokens`, those that the provider read from its prompt cache."""
    cache_write_tokens: int = 0
    """Of `input_tokens`, those that the provider wrote to its prompt cache."""


class AgentCompleted(Payload):
    """The answer. With `truncated` it is cut to size; the deltas since the last `agent_thinking`, and the history, hold
    the whole of it."""

    type = EventType.AGENT_COMPLETED
    result: str
    """The answer."""
    truncated: bool
    """`result` was cut to size: deltas and history hold the whole. Whether the model said all, `finish` says."""
    output: dict[str, JsonValue] | None = None
    """A structured answer as a JSON object, from an agent that gives one; absent else, and absent where it is too large
    for the event: then `result`, or with `truncated` the deltas, are its JSON text."""
    finish: Finish = Finish.COMPLETE
    """How the model ended the answer."""
    execution_time_ms: Annotated[int, Field(ge=0)]
    """Milliseconds that the run took, over all of its engines."""
    usage: Usage
    """What the model counted."""


class AgentError(Payload):
    """The run failed. `retryable`: sending the message again may help."""

    type = EventType.AGENT_ERROR
    code: ErrorCode
    """One of the closed list; decide by this."""
    message: str
    """One sentence for people. Its wording may change."""
    retryable: bool
    """Whether the same message, sent as a new run, may succeed."""


class AgentCancelled(Payload):
    """The run was cancelled. What was said up to here stays in the history."""

    type = EventType.AGENT_CANCELLED
    execution_time_ms: Annotated[int, Field(ge=0)]
    """Milliseconds that the run took, over all of its engines; since admission where none was at work on it."""


TerminalPayload = AgentCompleted | AgentError | AgentCancelled
"""Exactly one of these ends a run."""
AnyPayload = (
    UserMessage
    | AgentStarted
    | AgentThinking
    | AgentReasoning
    | AgentDelta
    | AgentRetrying
    | ToolExecuting
    | ToolProgress
    | ToolCompleted
    | ApprovalRequested
    | AgentResumed
    | TerminalPayload
)

PAYLOADS: Final[Mapping[EventType, type[AnyPayload]]] = {model.type: model for model in get_args(AnyPayload)}
"""Every type of event with its payload."""
TERMINAL_TYPES: Final = frozenset(model.type for model in get_args(TerminalPayload))


class Event(BaseModel):
    """One logged event in its envelope. `seq` starts at 1 in each run and has no gaps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: EventType
    """What happened; decides the payload."""
    run_id: str
    """The run."""
    thread_id: str
    """Its thread."""
    seq: Annotated[int, Field(ge=1)]
    """Place in the run, from 1, without gaps."""
    timestamp: str
    """When it was logged (RFC 3339, UTC, with milliseconds)."""
    agent_name: str
    """The agent that the run was sent to."""
    payload: AnyPayload
    """Depends on `type`."""

    def encode(self) -> str:
        """The frame as it is logged and posted: compact JSON, non-ASCII raw."""
        return self.model_dump_json(exclude_none=True)


def decode_event(text: str) -> Event:
    """Reads a logged event back; the type decides the payload's model. Raises `ValueError` on anything else."""
    envelope = _Envelope.model_validate_json(text)
    payload = PAYLOADS[envelope.type].model_validate(envelope.payload)
    return Event(**envelope.model_dump(exclude={"payload"}), payload=payload)


class _Envelope(BaseModel):
    type: EventType
    run_id: str
    thread_id: str
    seq: int
    timestamp: str
    agent_name: str
    payload: dict[str, JsonValue]
