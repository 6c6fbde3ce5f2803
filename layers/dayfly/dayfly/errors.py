"""The one error tree.

Every error that can reach a client carries a code of the closed list `ErrorCode` and says whether trying again may
help. What must not leave the backend (stack traces, AWS messages) stays in the exception's cause and goes to the log.
"""

from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Every code a client may see, in an `error` reply or in an `agent_error` event."""

    # A request that could not be read.
    INVALID_JSON = "invalid_json"
    INVALID_MESSAGE = "invalid_message"
    UNKNOWN_ACTION = "unknown_action"
    NOT_SUPPORTED = "not_supported"
    TEXT_TOO_LONG = "text_too_long"
    # A request that was read and refused.
    THREAD_NOT_FOUND = "thread_not_found"
    RUN_NOT_FOUND = "run_not_found"
    ID_REUSED = "id_reused"
    BUSY = "busy"
    QUEUE_FULL = "queue_full"
    QUOTA_EXCEEDED = "quota_exceeded"
    CANCELLED = "cancelled"
    APPROVAL_CLOSED = "approval_closed"
    # A run that ended without an answer.
    UNKNOWN_AGENT = "unknown_agent"
    AGENT_FAILED = "agent_failed"
    MODEL_FAILED = "model_failed"
    ENGINE_LOST = "engine_lost"
    ENGINE_TIMEOUT = "engine_timeout"
    COULD_NOT_START = "could_not_start"
    STEP_TOO_LONG = "step_too_long"
    RUN_TOO_LONG = "run_too_long"
    TOOL_OUTCOME_UNKNOWN = "tool_outcome_unknown"
    # Anything that is our own fault or the platform's.
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class DayflyError(Exception):
    """Base of all errors of this library.

    `code` and `retryable` are what a client is told; `str(error)` is safe to show to the client.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    retryable: ClassVar[bool] = False


class RequestError(DayflyError):
    """A frame that is answered with an `error` reply; the connection goes on."""


class InvalidJson(RequestError):
    """The frame is not JSON (RFC 8259), or nests deeper than the limit."""

    code = ErrorCode.INVALID_JSON


class InvalidMessage(RequestError):
    """The frame is JSON, but not a message of the protocol."""

    code = ErrorCode.INVALID_MESSAGE


class UnknownAction(RequestError):
    """The frame names no action, or one that does not exist."""

    code = ErrorCode.UNKNOWN_ACTION


class NotSupported(RequestError):
    """The protocol has this, this version of the backend does not."""

    code = ErrorCode.NOT_SUPPORTED


class TextTooLong(RequestError):
    """The text is over its limit of bytes, measured as a JSON string."""

    code = ErrorCode.TEXT_TOO_LONG


class ThreadNotFound(RequestError):
    """No such thread of this user; somebody else's thread gives the same answer."""

    code = ErrorCode.THREAD_NOT_FOUND


class RunNotFound(RequestError):
    """No such run of this user; somebody else's run gives the same answer."""

    code = ErrorCode.RUN_NOT_FOUND


class IdReused(RequestError):
    """The request id was used for other content within 24 hours."""

    code = ErrorCode.ID_REUSED


class Busy(RequestError):
    """The thread has a run under way."""

    code = ErrorCode.BUSY
    retryable = True


class QueueFull(RequestError):
    """The thread has as many runs waiting as it may."""

    code = ErrorCode.QUEUE_FULL
    retryable = True


class QuotaExceeded(RequestError):
    """The user has as many runs under way, or has started as many in the window, as allowed."""

    code = ErrorCode.QUOTA_EXCEEDED
    retryable = True


class RequestCancelled(RequestError):
    """The run was cancelled before it was admitted."""

    code = ErrorCode.CANCELLED


class ApprovalClosed(RequestError):
    """No such tool call waits for approval: it was answered, has expired, or its run has gone on or ended."""

    code = ErrorCode.APPROVAL_CLOSED


class Unavailable(RequestError):
    """A service this backend stands on did not answer in time. The same request, sent again, settles it."""

    code = ErrorCode.UNAVAILABLE
    retryable = True


class ConfigurationError(DayflyError):
    """A factory, a function or an agent was put together wrongly. Raised at set-up, never replaced in silence."""


class InvalidContext(DayflyError):
    """An execution context with an empty, over-long, malformed or placeholder id."""


class EngineClosed(DayflyError):
    """What was used is closed: an engine (it lives for one attempt), its bridge after the run's end, or its agent's
    event loop."""


class IllegalTransition(DayflyError):
    """A step that the state does not have: an engine or an agent host used twice, a queued run that its queue does not
    name, a piece of history that would change. A bug, not an input."""


class Superseded(DayflyError):
    """Another writer has gone on with this run: the seq is taken, or the lease, run or thread is not as this writer
    read or left it. The writer stops. Not a failure."""


class RunFailed(DayflyError):
    """A run that ends with `agent_error`. Subclasses name the code."""

    code = ErrorCode.AGENT_FAILED


class AgentFailed(RunFailed):
    """The agent raised an error, or ended without an answer."""


class UnknownAgent(RunFailed):
    """The named agent is not installed."""

    code = ErrorCode.UNKNOWN_AGENT


class ModelFailed(RunFailed):
    """The model provider refused, failed or broke off."""

    code = ErrorCode.MODEL_FAILED
    retryable = True
    # For the log, if whoever raises it says so: who was asked, and how often the request had been made again.
    provider: str = ""
    model: str = ""
    retries: int = 0


class EngineTimeout(RunFailed):
    """An engine of the run was killed at the time-out of its invocation, and the run may not be resumed again."""

    code = ErrorCode.ENGINE_TIMEOUT
    retryable = True


class EngineLost(RunFailed):
    """The engine's process died."""

    code = ErrorCode.ENGINE_LOST
    retryable = True


class CouldNotStart(RunFailed):
    """No engine began the run in time."""

    code = ErrorCode.COULD_NOT_START
    retryable = True


class StepTooLong(RunFailed):
    """One model request, or one call of an idempotent tool, did not fit in an engine's time, twice."""

    code = ErrorCode.STEP_TOO_LONG


class RunTooLong(RunFailed):
    """The run used up the time that a run may take over all of its engines."""

    code = ErrorCode.RUN_TOO_LONG


class ToolOutcomeUnknown(RunFailed):
    """An engine was lost, or its time was over, while a tool ran that is not declared idempotent: whether it did its
    work is unknown."""

    code = ErrorCode.TOOL_OUTCOME_UNKNOWN


class PortError(DayflyError):
    """What a port may raise besides its own answers."""

    code = ErrorCode.UNAVAILABLE
    retryable = True


class Unsettled(PortError):
    """A write whose outcome is unknown, or that was throttled or met a conflict: repeat it byte for byte."""


class Gone(PortError):
    """The peer closed the connection (410): the viewer left."""

    retryable = False


class PostRefused(PortError):
    """The connection may not be posted to, or the frame was not taken, and trying again will not help."""

    retryable = False
