"""What the demo model looks at in a tool."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

Schema = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that must be given, and the JSON schema of its value, which refers to nothing outside itself."""

    name: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class ToolShape:
    """A registered tool: its name, and the parameters that it cannot do without."""

    name: str
    required: tuple[Parameter, ...] = ()

    @classmethod
    def of(cls, name: str, schema: Schema) -> "ToolShape":
        """Reads a tool's JSON schema."""
        return cls(name, required_of(resolved(schema)))


def resolved(schema: Schema) -> Schema:
    """The schema with what its `$ref`s name in their place; a type that holds itself is left open there."""
    definitions = schema.get("$defs")
    return _resolved(schema, definitions if isinstance(definitions, Mapping) else {}, frozenset())


def required_of(schema: Schema) -> tuple[Parameter, ...]:
    """The required properties of an object's schema."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return ()
    found = ((name, properties.get(name)) for name in required if isinstance(name, str))
    return tuple(Parameter(name, each if isinstance(each, Mapping) else {}) for name, each in found)


def _resolved(schema: Schema, definitions: Schema, within: frozenset[str]) -> dict[str, JsonValue]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        named = definitions.get(reference.removeprefix("#/$defs/"))
        schema = {**named, **schema} if isinstance(named, Mapping) and reference not in within else schema
        within |= {reference}
    return {key: _inside(value, definitions, within) for key, value in schema.items() if key not in {"$ref", "$defs"}}


def _inside(value: JsonValue, definitions: Schema, within: frozenset[str]) -> JsonValue:
    if isinstance(value, dict):
        return _resolved(value, definitions, within)
    if isinstance(value, list):
        return [_inside(each, definitions, within) for each in value]
    return value
