"""Parameters, results and texts as events show them: redacted, bounded in size, characters whole."""

import json
import re
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall
from dayfly.protocol.call_ids import fitting_call_id
from dayfly.text import cut, sanitize

REDACTED: Final = "[redacted]"
PARAMETER_BYTES: Final = 8 * 1024
"""Bytes of a tool's parameters in an event, as JSON."""
RESULT_BYTES: Final = 8 * 1024
"""Bytes of a tool's result in an event, as a JSON string."""
SHOWN_DEPTH: Final = 32
"""Levels of nested values that an event shows; deeper ones are only hinted at. Models may nest without end."""

_SECRET = re.compile(r"password|passwd|secret|token|key|auth|credential", re.IGNORECASE)
_ELLIPSIS: Final = "…"
_NUMBER_BITS: Final = 1024
"""A whole number of more is only hinted at: past 4,300 digits no reader of JSON takes it, this backend's included."""


def shown_parameters(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A tool's parameters as an event may show them: values of keys that hold secrets redacted, long strings cut; if
    that is not enough, only a note of the size is left."""
    redacted = redact(parameters)
    assert isinstance(redacted, dict)  # noqa: S101  a dict in, a dict out
    limit = PARAMETER_BYTES
    while (size := _bytes_of(redacted)) > PARAMETER_BYTES:
        limit //= 2
        if limit < 64:
            return {"omitted": f"{size} bytes of parameters"}
        redacted = {name: _cut_strings(value, limit) for name, value in redacted.items()}
    return redacted


def shown_result(content: str) -> str:
    """A tool's result as an event may show it. If it is JSON, keys that hold secrets are redacted."""
    try:
        value: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        return cut(content, RESULT_BYTES)[0]
    if isinstance(value, dict | list):
        content = json.dumps(redact(value), ensure_ascii=False)
    return cut(content, RESULT_BYTES)[0]


def redact(value: JsonValue, *, levels: int = SHOWN_DEPTH) -> JsonValue:
    """Replaces the values of keys whose names say that they hold a secret, what nests deeper than `levels`, and numbers
    that no reader of JSON would take."""
    if isinstance(value, dict | list) and levels == 0:
        return _ELLIPSIS
    if isinstance(value, dict):
        return {
            sanitize(name): REDACTED if _SECRET.search(name) else redact(inner, levels=levels - 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [redact(inner, levels=levels - 1) for inner in value]
    if isinstance(value, int) and value.bit_length() > _NUMBER_BITS:
        return _ELLIPSIS
    return sanitize(value) if isinstance(value, str) else value


def sanitized_response(said: AssistantSaid) -> AssistantSaid:
    """The response with all its texts `whole` and its ids fitting, as the journal can hold it."""
    calls = (
        ToolCall(fitting_call_id(call.call_id), sanitize(call.name), sanitize(call.arguments)) for call in said.calls
    )
    return replace(said, text=sanitize(said.text), calls=tuple(calls))


def sanitized_answer(answer: ToolAnswered) -> ToolAnswered:
    """The tool's answer with all its texts `whole` and its id fitting, as the journal can hold it."""
    content = sanitize(answer.content)
    files = tuple(replace(file, name=sanitize(file.name), url=sanitize(file.url)) for file in answer.files)
    call_id = fitting_call_id(answer.call_id)
    return replace(answer, call_id=call_id, name=sanitize(answer.name), content=content, files=files)


def _cut_strings(value: JsonValue, limit: int) -> JsonValue:
    if isinstance(value, str):
        return cut(value, limit)[0]
    if isinstance(value, dict):
        return {name: _cut_strings(inner, limit) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cut_strings(inner, limit) for inner in value[:limit]]
    return value


def _bytes_of(value: JsonValue) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
