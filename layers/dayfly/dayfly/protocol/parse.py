"""From the bytes of a frame to a frozen model, or one clear error."""

import json
from typing import Final

from pydantic import TypeAdapter, ValidationError

from dayfly.errors import InvalidJson, InvalidMessage, TextTooLong, UnknownAction
from dayfly.protocol import limits
from dayfly.protocol.explain import explain
from dayfly.protocol.frames import FRAMES, AnyFrame, Frame, Run
from dayfly.protocol.replies import ReplyId
from dayfly.text import json_string_bytes

_FRAME: Final[TypeAdapter[Frame]] = TypeAdapter(AnyFrame)
_REPLY_ID: Final[TypeAdapter[ReplyId]] = TypeAdapter(ReplyId)
type_of_json = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def parse_frame(body: str) -> Frame:
    """Reads one client frame.

    Raises `InvalidJson`, `InvalidMessage`, `UnknownAction` or `TextTooLong`. No input makes it raise anything else.
    """
    value = _load(body)
    if not isinstance(value, dict):
        raise InvalidMessage(f"A message is a JSON object, not {type_of_json.get(type(value), 'a number')}.")
    action = value.get("action")
    if not isinstance(action, str) or action not in FRAMES:
        raise UnknownAction(f"`action` must be one of: {', '.join(sorted(FRAMES))}.")
    try:
        frame = _FRAME.validate_python(value)
    except ValidationError as error:
        raise InvalidMessage(explain(error)) from error
    if isinstance(frame, Run) and json_string_bytes(frame.text) > limits.TEXT_BYTES:
        raise TextTooLong(f"`text` may take {limits.TEXT_BYTES} bytes as a JSON string.")
    return frame


def request_id_of(body: str) -> str | None:
    """The client's request id in a frame that was refused, if it can be read and is a legal one."""
    try:
        value = _load(body)
    except InvalidJson:
        return None
    candidate = value.get("id") if isinstance(value, dict) else None
    try:
        return _REPLY_ID.validate_python(candidate, strict=True)
    except ValidationError:
        return None


def _load(body: str) -> object:
    try:
        loaded: object = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InvalidJson("The message nests too deeply.") from error
    except json.JSONDecodeError as error:
        raise InvalidJson("The message is not JSON.") from error
    except ValueError as error:
        # https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation
        raise InvalidJson("The message has a number with too many digits.") from error
    if _deeper_than(loaded, limits.JSON_DEPTH):
        raise InvalidJson(f"The message nests deeper than {limits.JSON_DEPTH} levels.")
    return loaded


def _deeper_than(value: object, depth: int) -> bool:
    """Whether objects and arrays nest deeper; level by level, so that no input can exhaust the stack."""
    level: list[object] = [value]
    for _ in range(depth):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(outer, dict | list) for outer in level)


def _refuse_constant(name: str) -> object:
    raise InvalidJson(f"The message is not JSON: {name} is JavaScript's alone.")
