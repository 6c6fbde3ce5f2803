"""What the demo model looks at in a tool."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that must be given. `kind` is its JSON type."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class ToolShape:
    """A registered tool: its name, and the parameters that it cannot do without."""

    name: str
    required: tuple[Parameter, ...] = ()

    @classmethod
    def of(cls, name: str, schema: Mapping[str, object]) -> "ToolShape":
        """Reads a tool's JSON schema."""
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            return cls(name)
        return cls(name, tuple(Parameter(key, _kind(properties.get(key))) for key in required))


def _kind(property_schema: object) -> str:
    kind = property_schema.get("type") if isinstance(property_schema, Mapping) else None
    return kind if isinstance(kind, str) else "string"
