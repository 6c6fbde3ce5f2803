"""An answer of a type that the agent's developer has named: how the model is asked for it, and how it is read."""

import dataclasses
import json
import logging
import re
import typing
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, JsonValue, PydanticUserError, TypeAdapter, ValidationError
from pydantic_ai.models import Model, ModelRequestContext
from pydantic_ai.output import OutputObjectDefinition

from dayfly.errors import ConfigurationError, DayflyError
from dayfly.text import cut, sanitize

_log: Final = logging.getLogger(__name__)

OUTPUT_RETRIES: Final = 3
"""How often in a row a model is asked again for an answer that fits, before the run ends."""
_EXPLANATION_BYTES: Final = 2 * 1024
"""Bytes of what the model is told of an answer that does not fit."""
_NATIVE: Final = frozenset({"openai", "azure", "google", "function"})
"""Providers (and the library's scripted models) that are sent the schema as such, if the model takes one. Others are
told it in words: a server that only speaks OpenAI's protocol may not know it, or no longer call tools; and some
providers refuse large schemas."""
_WORDS: Final = (
    "Your answer, once you have called the tools that you need, is one JSON object, without any text or fence around "
    "it, that fits this JSON schema:\n"
)
_FENCED: Final = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)


class NotFitting(DayflyError):
    """An answer that is not of the wanted type. The message is for the model."""


class StructuredOutput:
    """One agent's type of answer. Holds nothing of a run."""

    def __init__(self, kind: type) -> None:
        """Takes the type: a pydantic model, a dataclass or a `TypedDict`.

        Raises:
            ConfigurationError: It is another, or one that no model could write.
        """
        if not (isinstance(kind, type) and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind))) and not (
            typing.is_typeddict(kind)
        ):
            raise ConfigurationError(f"output is a pydantic model, a dataclass or a TypedDict, not {kind!r}")
        try:
            self._adapter: TypeAdapter[object] = TypeAdapter(kind)
            schema = self._adapter.json_schema()
        except PydanticUserError as error:
            raise ConfigurationError(f"output is {kind.__name__}, which no model can write: {error}") from error
        if _whole(schema).get("type") != "object":
            raise ConfigurationError(f"output is {kind.__name__}, which is no JSON object")
        description = (kind.__doc__ or "").strip() or None
        self._wanted = OutputObjectDefinition(schema, name=kind.__name__, description=description)

    def told(self, instructions: str, model: Model, *, tools: bool) -> str:
        """The instructions, with the schema behind them for a model that is not sent it as such."""
        if _takes_schemas(model, tools=tools):
            return instructions
        return f"{instructions}\n\n{_WORDS}{json.dumps(self._wanted.json_schema, ensure_ascii=False)}"

    def asked_for(self, request: ModelRequestContext) -> ModelRequestContext:
        """The request, with the schema for a model that is sent it as such."""
        parameters = request.model_request_parameters
        if not _takes_schemas(request.model, tools=bool(parameters.function_tools)):
            return request
        asking = dataclasses.replace(parameters, output_mode="native", output_object=self._wanted)
        return dataclasses.replace(request, model_request_parameters=asking)

    def read(self, text: str) -> tuple[str, dict[str, JsonValue]]:
        """The answer's JSON text, without a fence or words around it, and its value as the type gives it, with its
        defaults.

        Raises:
            NotFitting: It is not of the type.
        """
        failure: NotFitting | None = None
        for part in _objects_in(sanitize(text.strip())):
            try:
                return part, self._value(part)
            except NotFitting as error:
                failure = failure or error
        raise failure or NotFitting("That answer is empty.")

    def _value(self, text: str) -> dict[str, JsonValue]:
        try:
            value = self._adapter.validate_json(text)
            # pydantic's own writer: what no JSON holds (NaN, infinities) is null there.
            output: dict[str, JsonValue] = json.loads(self._adapter.dump_json(value, by_alias=True))
        except ValidationError as error:
            said = json.dumps(error.errors(include_url=False, include_context=False, include_input=False), default=str)
            raise NotFitting(f"That answer does not fit: {cut(said, _EXPLANATION_BYTES)[0]}") from error
        except ValueError as error:
            raise NotFitting("That answer can not be written as JSON.") from error
        except Exception as error:  # a validator is the developer's code
            _log.exception("a validator of the agent's output failed")
            raise NotFitting("That answer could not be checked.") from error
        return output

    def value_of(self, text: str) -> dict[str, JsonValue] | None:
        """The value of an answer that was read before; `None` for one that was cut off."""
        try:
            return self.read(text)[1]
        except NotFitting:
            return None


def _objects_in(text: str) -> Iterator[str]:
    """What may be the answer: all of the text; what is fenced in it; what stands in its outermost braces. Models put
    words around it, though they are asked not to."""
    yield text
    if fenced := _FENCED.search(text):
        yield fenced[1].strip()
    start, end = text.find("{"), text.rfind("}") + 1
    if 0 <= start < end:
        yield text[start:end]


def _takes_schemas(model: Model, *, tools: bool) -> bool:
    profile = model.profile
    provider = "google" if model.system.startswith("google") else model.system
    if provider not in _NATIVE or not profile.get("supports_json_schema_output", False):
        return False
    return not tools or provider != "google" or bool(profile.get("google_supports_tool_combination", False))


def _whole(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The schema itself, or the one that it refers to as a whole."""
    reference, definitions = schema.get("$ref"), schema.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        found = definitions.get(reference.removeprefix("#/$defs/"))
        return found if isinstance(found, dict) else schema
    return schema
