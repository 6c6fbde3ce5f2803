"""The payloads that show what an agent or a model has chosen: here, and nowhere else, each text in them is made to fit.

A model may invent a tool's name of any length, and an agent may raise an error with any message. Whatever they chose,
the payload's event stays within `limits.EVENT_BYTES`, and can be read back.
"""

from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from dayfly.errors import AgentFailed, ErrorCode, RunFailed
from dayfly.log.messages import ToolAnswered, ToolFile, ToolOutcome
from dayfly.log.redaction import shown_parameters, shown_result
from dayfly.protocol.call_ids import fitting_call_id
from dayfly.protocol.events import (
    AgentCompleted,
    AgentError,
    AgentRetrying,
    AgentThinking,
    ApprovalRequested,
    FileReference,
    Finish,
    RetryReason,
    ToolCompleted,
    ToolExecuting,
    ToolProgress,
    ToolStatus,
    Usage,
)
from dayfly.text import cut, json_string_bytes, sanitize

NAME_BYTES: Final = 256
"""Bytes of a tool's name in an event, as a JSON string. Providers take 64 characters of a tool that exists."""
SENTENCE_BYTES: Final = 4 * 1024
"""Bytes of an explanation (a reasoning, an error's message), as a JSON string."""
PROGRESS_BYTES: Final = 1024
"""Bytes of what a tool tells of its progress, as a JSON string."""
ANSWER_BYTES: Final = 24 * 1024
"""Bytes of the final answer in `agent_completed`, as a JSON string."""
MOST_FILES: Final = 4
"""Files of one result that an event names."""
FILE_NAME_BYTES: Final = 512
"""Bytes of a file's name, or media type, in an event, as a JSON string: 128 characters fit."""
URL_BYTES: Final = 2 * 1024
"""Bytes of a file's URL in an event, as a JSON string; a longer one is left out, since a part of one leads nowhere."""
OUTPUT_BYTES: Final = 12 * 1024
"""Bytes of a structured answer in `agent_completed`, as JSON: half of an answer's, since its text is there too."""
MOST_COUNTED: Final = 10**12
"""Steps, tokens and milliseconds are counted up to this: a number that any client can read, in few digits."""

_STATUS: Final[dict[ToolOutcome, ToolStatus]] = {
    ToolOutcome.OK: "ok",
    ToolOutcome.ERROR: "error",
    ToolOutcome.RETRY: "error",
    ToolOutcome.DENIED: "denied",
}


def agent_thinking(reasoning: str, *, step: int) -> AgentThinking:
    """A request to the model."""
    return AgentThinking(reasoning=cut(reasoning, SENTENCE_BYTES)[0], step_number=min(step, MOST_COUNTED))


def agent_retrying(reason: RetryReason, *, retry: int, delay_ms: int) -> AgentRetrying:
    """A request to the model that is made again. What it discards is known where it is numbered (`log/batch.py`)."""
    return AgentRetrying(reason=reason, retry=min(retry, MOST_COUNTED), delay_ms=min(delay_ms, MOST_COUNTED))


def tool_executing(tool_name: str, call_id: str, parameters: dict[str, JsonValue]) -> ToolExecuting:
    """A tool that is about to run."""
    return ToolExecuting(
        tool_name=shown_name(tool_name),
        tool_call_id=fitting_call_id(call_id),
        parameters=shown_parameters(parameters),
    )


def tool_progress(tool_name: str, call_id: str, message: str) -> ToolProgress:
    """How far a running tool is."""
    return ToolProgress(
        tool_name=shown_name(tool_name),
        tool_call_id=fitting_call_id(call_id),
        message=cut(message, PROGRESS_BYTES)[0],
    )


def tool_completed(answer: ToolAnswered, *, took_ms: int) -> ToolCompleted:
    """A tool that has run, or that the user did not allow."""
    return ToolCompleted(
        tool_name=shown_name(answer.name),
        tool_call_id=fitting_call_id(answer.call_id),
        status=_STATUS[answer.outcome],
        result=shown_result(answer.content),
        execution_time_ms=min(took_ms, MOST_COUNTED),
        files=tuple(_reference(file) for file in answer.files[:MOST_FILES]) or None,
    )


def _reference(file: ToolFile) -> FileReference:
    return FileReference(
        name=cut(file.name, FILE_NAME_BYTES)[0],
        media_type=cut(file.media_type, FILE_NAME_BYTES)[0],
        bytes=min(file.size, MOST_COUNTED) or None,
        url=file.url if file.url and json_string_bytes(file.url) <= URL_BYTES else None,
    )


def approval_requested(
    tool_name: str, call_id: str, parameters: dict[str, JsonValue], *, expires_at: str
) -> ApprovalRequested:
    """A tool call that waits for the user until `expires_at` (RFC 3339)."""
    return ApprovalRequested(
        tool_name=shown_name(tool_name),
        tool_call_id=fitting_call_id(call_id),
        parameters=shown_parameters(parameters),
        expires_at=expires_at,
    )


def agent_completed(
    text: str,
    *,
    took_ms: int,
    usage: Usage,
    finish: Finish = Finish.COMPLETE,
    output: dict[str, JsonValue] | None = None,
) -> AgentCompleted:
    """The answer, whether it was cut to size here, and how the model ended it. A structured one is given whole, beside
    as much of its text as has room, or not at all."""
    shown = None if output is None else {sanitize(name): _sanitized(value) for name, value in output.items()}
    taken = 0 if shown is None else len(to_json(shown))
    if taken > OUTPUT_BYTES:
        shown, taken = None, 0
    result, truncated = cut(text, ANSWER_BYTES - taken)
    counted = Usage(**{name: min(count, MOST_COUNTED) for name, count in usage})
    return AgentCompleted(
        result=result, truncated=truncated, finish=finish, output=shown, execution_time_ms=took_ms, usage=counted
    )


def _sanitized(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {sanitize(name): _sanitized(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_sanitized(inner) for inner in value]
    return sanitize(value) if isinstance(value, str) else value


def agent_error(reason: RunFailed) -> AgentError:
    """The end of a run that failed. Of a developer's own error, a code that is not of the list is `agent_failed`, and a
    text that is empty, or whose making raises, is a fixed sentence: whatever the error is like, its run ends."""
    message = cut(_words(reason) or "The run failed.", SENTENCE_BYTES)[0]
    return AgentError(code=_known_code(reason), message=message, retryable=reason.retryable is True)


def _known_code(reason: RunFailed) -> ErrorCode:
    try:
        return ErrorCode(reason.code)
    except ValueError:  # also for what can not be hashed
        return AgentFailed.code


def _words(reason: RunFailed) -> str:
    try:
        return str(reason)
    except Exception:  # noqa: BLE001  # foreign code, and the run's end is at stake; whoever has the error logs it
        return ""


def shown_name(tool_name: str) -> str:
    """A tool's name as an event may show it."""
    return cut(tool_name, NAME_BYTES)[0]
