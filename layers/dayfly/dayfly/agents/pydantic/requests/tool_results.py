"""What a tool has returned, as the model is given it: text, and files that the model can look at."""

from dataclasses import replace
from typing import Final

from pydantic_ai.messages import BinaryContent, ToolReturnPart
from pydantic_core import PydanticSerializationError

from dayfly.agents.pydantic.requests.text import json_text
from dayfly.log.event_payloads import MOST_FILES
from dayfly.log.messages import ToolAnswered, ToolFile
from dayfly.text import sanitize

FILES_BYTES: Final = 1024 * 1024
"""Bytes of all files of one result that are kept for the model, until the run has ended."""
TEXT_BYTES: Final = 32 * 1024
"""Bytes of a file of text that is given as part of the result's text."""
_SEEN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""What models look at, if they can look at anything.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html"""


def read_result(result: object) -> tuple[str, tuple[ToolFile, ...]]:
    """A tool's result as text, with its files: a `ToolFile` alone, or several among other values of a list.

    The text names each file, and holds what is in it where that is text. The bytes of an image or a PDF are kept for
    the model, those of other files are not.

    Raises:
        TypeError: JSON cannot hold it, a file is described wrongly, or there are more than `MOST_FILES`.
    """
    values = [_as_file(value) for value in (result if isinstance(result, list | tuple) else [result])]
    files = [value for value in values if isinstance(value, ToolFile)]
    if not files:
        return as_text(result), ()
    if len(files) > MOST_FILES:
        raise TypeError(f"a tool returned {len(files)} files, and a result has at most {MOST_FILES}")
    others = [value for value in values if not isinstance(value, ToolFile)]
    texts = [as_text(others[0] if len(others) == 1 else others)] if others else []
    kept: list[ToolFile] = []
    room = FILES_BYTES
    for returned in files:
        returned.check()
        note, file = _noted(returned, room)
        room -= len(file.data)
        texts.append(note)
        kept.append(file)
    return "\n".join(texts), tuple(kept)


def as_text(result: object) -> str:
    """A tool's result as the model is given it: text as it is, anything else as JSON.

    Raises:
        TypeError: JSON cannot hold it.
    """
    if isinstance(result, str):
        return sanitize(result)
    try:
        return json_text(result)
    except PydanticSerializationError as error:
        raise TypeError(f"a tool returned {type(result).__name__}, which JSON cannot hold") from error


def content_of(answer: ToolAnswered) -> str | list[str | BinaryContent]:
    """The answer as the library takes it: with the files that the model can look at, if there are any."""
    seen: list[str | BinaryContent] = [
        BinaryContent(file.data, media_type=file.media_type, identifier=file.name) for file in answer.files if file.data
    ]
    return [answer.content, *seen] if seen else answer.content


def text_in(part: ToolReturnPart) -> str:
    """The text of a result that `content_of` has given, or that is the library's own."""
    if isinstance(part.content, list) and part.files:
        return "\n".join(piece for piece in part.content if isinstance(piece, str))
    return part.model_response_str(wrap_if_error=False)


def _as_file(value: object) -> object:
    """The value; a file with its media type as it is registered; of the library's own files a `ToolFile`."""
    if isinstance(value, BinaryContent):
        value = ToolFile(f"{value.identifier}.{value.format}", value.media_type, value.data)
    if not isinstance(value, ToolFile) or not isinstance(value.media_type, str):
        return value
    media_type = value.media_type.partition(";")[0].strip().lower()
    return replace(value, media_type="image/jpeg" if media_type == "image/jpg" else media_type)


def with_text(part: ToolReturnPart, text: str) -> ToolReturnPart:
    """The result with another text and the same files."""
    content = [text, *part.files] if part.files else text
    return ToolReturnPart(part.tool_name, content, part.tool_call_id, outcome=part.outcome)


def _noted(file: ToolFile, room: int) -> tuple[str, ToolFile]:
    told = [file.media_type, *([f"{file.size} bytes"] if file.size else []), *([file.url] if file.url else [])]
    note = f"[file {file.name}: {', '.join(told)}]"
    if not file.data:
        return note, file
    gone = replace(file, data=b"")
    if file.media_type.startswith("text/") or file.media_type == "application/json":
        text = file.data[:TEXT_BYTES].decode(errors="replace")
        more = "\n[the rest is left out]" if len(file.data) > TEXT_BYTES else ""
        return f"{note}\n{text}{more}", gone
    if file.media_type not in _SEEN:
        return f"{note[:-1]}; its content can not be shown to you]", gone
    if len(file.data) > room:
        return f"{note[:-1]}; too large to be shown to you]", gone
    return note, file
