"""The ids of tool calls: ours, on the wire and in the journal; the provider's own beside them."""

import dataclasses
import hashlib
import json
import re
import string
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic_ai.messages import ModelResponse, ModelResponsePart, ToolCallPart
from pydantic_ai.models import AbstractModel

from dayfly.agents.pydantic.requests.rules import has_provider, provider_of
from dayfly.agents.pydantic.requests.text import arguments_json, json_object
from dayfly.agents.sdk.protocol import Turn
from dayfly.log.messages import AssistantSaid
from dayfly.protocol.call_ids import fitting_call_id

LENGTH: Final = 9
"""Characters of an id: the strictest provider takes nine letters and digits, and no other number.
Source: https://docs.mistral.ai/capabilities/function_calling"""
_ALPHABET: Final = string.digits + string.ascii_letters
_ORIGIN: Final = "dayfly"
_STAND_IN: Final = re.compile(r"\s*(?:\{\s*\}|null)(?=\s*\{)")
"""What gateways put in the place of arguments until these come, and leave before them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where a response came from, kept in the library's form of it and never sent.

    Attributes:
        provider: As `provider_of` names it.
        call_ids: The provider's own id for each of ours.
    """

    provider: str
    call_ids: Mapping[str, str]

    def noted_in(self, response: ModelResponse) -> ModelResponse:
        """The response with this note."""
        note = {"provider": self.provider, "call_ids": dict(self.call_ids)}
        return dataclasses.replace(response, metadata={**(response.metadata or {}), _ORIGIN: note})

    @classmethod
    def of(cls, response: ModelResponse) -> "Origin | None":
        """The note in a response, if there is one."""
        note = (response.metadata or {}).get(_ORIGIN)
        return cls(note["provider"], note["call_ids"]) if isinstance(note, dict) else None


class ToolCallIds:
    """Gives the calls of one attempt's responses their ids: short, of letters and digits, no two alike in the
    conversation. An attempt that asks for a response again gives its calls the same ones."""

    def __init__(self, turn: Turn) -> None:
        self._run_id = turn.context.run_id
        calls_in = [
            [call.call_id for message in messages if isinstance(message, AssistantSaid) for call in message.calls]
            for messages in (turn.history, turn.resumed)
        ]
        self._taken = {call_id for call_ids in calls_in for call_id in call_ids}
        self._given = len(calls_in[1])

    def named(self, response: ModelResponse, model: AbstractModel) -> ModelResponse:
        """The response of this model with our ids, and a note of the provider's. Arguments are JSON, or as the model
        wrote them where they can be read as no object: then the library tells the model what is wrong. A model of this
        process, such as the demo, gives ids that are ours already."""
        ours = not has_provider(model)
        call_ids: dict[str, str] = {}
        parts: list[ModelResponsePart] = []
        for part in response.parts:
            if isinstance(part, ToolCallPart):
                call_id = self._kept(part.tool_call_id) if ours else self._next()
                call_ids[call_id] = part.tool_call_id
                parts.append(dataclasses.replace(part, tool_call_id=call_id, args=_readable(part.args)))
            else:
                parts.append(part)
        named = dataclasses.replace(response, parts=parts)
        return Origin(provider_of(model), {} if ours else call_ids).noted_in(named)

    def _kept(self, call_id: str) -> str:
        call_id = fitting_call_id(call_id)
        if not call_id or call_id in self._taken:
            return self._next()
        self._given += 1
        self._taken.add(call_id)
        return call_id

    def _next(self) -> str:
        self._given += 1
        call_id = next(one for one in _ids(self._run_id, self._given) if one not in self._taken)
        self._taken.add(call_id)
        return call_id


def _readable(arguments: str | Mapping[str, object] | None) -> str:
    if not isinstance(arguments, str):
        return arguments_json(arguments)
    return json_object(arguments) or json_object(_STAND_IN.sub("", arguments)) or arguments


def short_id(*of: str | int) -> str:
    """An id that is the same for the same values, and for no other ones."""
    number = int.from_bytes(hashlib.sha256(json.dumps(of).encode()).digest())
    return "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(LENGTH))


def _ids(run_id: str, ordinal: int) -> Iterator[str]:
    """The id of a run's call by its number, and others in case that it is taken."""
    again = 0
    while True:
        yield short_id(run_id, ordinal, again)
        again += 1
