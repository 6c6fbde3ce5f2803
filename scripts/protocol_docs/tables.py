"""Tables of Markdown made from schemas and errors."""

from collections.abc import Iterable, Iterator
from typing import Final

from scripts.protocol_docs.schemas import REF, Schema

_BOUNDS: Final = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "maxProperties": "at most {} entries",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; `|` in cells is escaped."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *(tuple(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def field_table(schema: Schema, schemas: dict[str, Schema], *, skip: tuple[str, ...] = (), sent: bool) -> str:
    """The fields of an object. `sent`: by the server, so that a field is there always or not."""
    head = ("Field", "Type", "Always there" if sent else "Required", "Limits", "Meaning")
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`",
            type_text(inner, schemas),
            "yes" if name in required else "no",
            "; ".join(limit_texts({**inner, "default": None} if sent else inner)),
            inner.get("description", ""),
        )
        for name, inner in schema["properties"].items()
        if name not in skip
    ]
    return table(head, rows) if rows else "No fields."


def type_text(schema: Schema, schemas: dict[str, Schema]) -> str:
    """A type in words."""
    if reference := reference_of(schema):
        target = schemas[reference]
        if "enum" in target and len(target["enum"]) > 8:  # a long list has a section of its own
            return f"[{reference}](#error-codes)"
        return type_text(target, schemas) if "properties" not in target else f"`{reference}`"
    if "anyOf" in schema:
        return type_text(_not_null(schema), schemas)
    if "const" in schema:
        return f'`"{schema["const"]}"`'
    if "enum" in schema:
        return " | ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"array of {type_text(schema['items'], schemas)}"
    if "patternProperties" in schema:
        (inner,) = schema["patternProperties"].values()
        return f"object of {type_text(inner, schemas)}"
    return str(schema.get("type", "any JSON"))


def limit_texts(schema: Schema) -> Iterator[str]:
    """What a value must keep besides its type."""
    schema = {**schema, **_not_null(schema)} if "anyOf" in schema else schema
    for key, text in _BOUNDS.items():
        if key in schema:
            yield "not empty" if (key, schema[key]) == ("minLength", 1) else text.format(f"{schema[key]:,}")
    if "pattern" in schema:
        yield f"`{schema['pattern']}`"
    for pattern, inner in schema.get("patternProperties", {}).items():
        yield f"keys `{pattern}`"
        yield "values " + " ".join(limit_texts(inner))
    if schema.get("default") not in (None, {}):
        yield f"default `{schema['default']}`"
    if "x-limit" in schema:
        yield schema["x-limit"]


def reference_of(schema: Schema) -> str | None:
    """The name of the component that a schema refers to."""
    target = schema.get("$ref") or next((part.get("$ref") for part in schema.get("allOf", ())), None)
    return target.removeprefix(REF) if isinstance(target, str) else None


def _not_null(schema: Schema) -> Schema:
    inner: Schema = next(part for part in schema["anyOf"] if part != {"type": "null"})
    return inner
