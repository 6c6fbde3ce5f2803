"""What a provider wants back with a response: from the library's parts to opaque text, and back."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

from dayfly.agents.pydantic.requests.text import json_object
from dayfly.agents.pydantic.requests.tool_call_ids import Origin
from dayfly.log.messages import ProviderState

FROM_TAGS: Final = "content"
"""The id by which the library marks reasoning that it found between tags in the answer's text."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Stored:
    """The form of `ProviderState.data`. `parts` are the library's, where more than text and plain calls is to go back;
    the other fields are those of its `ModelResponse` by which it knows whose they are."""

    call_ids: dict[str, str]
    parts: list[ModelResponsePart] | None = None
    model_name: str | None = None
    provider_name: str | None = None
    canonical_system: str | None = None


_STORED: Final[TypeAdapter[_Stored]] = TypeAdapter(_Stored)


def state_of(response: ModelResponse) -> ProviderState | None:
    """What is to be kept of a response that `ToolCallIds` has named; `None` if its text and its calls are all."""
    origin = Origin.of(response)
    parts = [part for part in response.parts if not _from_tags(part)]
    opaque = any(_is_opaque(part) for part in parts)
    if origin is None or not (opaque or origin.call_ids):
        return None
    stored = _Stored(
        call_ids=dict(origin.call_ids),
        parts=parts if opaque else None,
        model_name=response.model_name,
        provider_name=response.provider_name,
        canonical_system=response.canonical_system,
    )
    # Halves of characters and NaN, which a provider's JSON may hold, have no form in what is stored.
    written: JsonValue = _STORED.dump_python(stored, mode="json", exclude_none=True)
    return ProviderState(origin.provider, json_object(json.dumps(written)) or "{}")


def response_of(state: ProviderState, response: ModelResponse) -> ModelResponse:
    """The response with what its provider wants back; as it is, where the state was not written for it or can not be
    read, as another version of the library may have written it."""
    try:
        stored = _STORED.validate_json(state.data)
    except ValidationError:
        return response
    parts = response.parts
    if stored.parts is not None and _said(stored.parts) == _said(response.parts):
        parts = stored.parts
    named = dataclasses.replace(
        response,
        parts=parts,
        model_name=stored.model_name,
        provider_name=stored.provider_name,
        canonical_system=stored.canonical_system,
    )
    return Origin(state.provider, stored.call_ids).noted_in(named)


def _said(parts: Sequence[ModelResponsePart]) -> tuple[str, list[str]]:
    text = "".join(part.content for part in parts if isinstance(part, TextPart))
    return text, [part.tool_call_id for part in parts if isinstance(part, ToolCallPart)]


def _is_opaque(part: ModelResponsePart) -> bool:
    match part:
        case ThinkingPart():
            return True
        case TextPart() | ToolCallPart():
            return bool(part.id or part.provider_details)
        case _:
            return True


def _from_tags(part: ModelResponsePart) -> bool:
    return isinstance(part, ThinkingPart) and part.id == FROM_TAGS
