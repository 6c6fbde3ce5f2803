"""JSON Schemas of all frames, as AsyncAPI 3.0 wants them: a superset of draft 07.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0#schemaObject
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dayfly.protocol.events import Event, Payload
from scripts.protocol_docs.catalog import CLIENT_FRAMES, MORE_LIMITS, PAYLOADS, REPLIES, SIGNALS
from scripts.protocol_docs.docstrings import field_texts

Schema = dict[str, Any]
"""A JSON Schema: JSON, whose shape JSON Schema itself defines."""

REF: Final = "#/components/schemas/"


def component_schemas() -> dict[str, Schema]:
    """Name to schema: every frame of the client, reply, signal and payload, one envelope an event type, and what they
    refer to."""
    sent = [*REPLIES, *SIGNALS, *PAYLOADS]
    schemas = {**_definitions(CLIENT_FRAMES), **{name: as_sent(s) for name, s in _definitions(sent).items()}}
    schemas.update({event_name(payload): event_schema(payload) for payload in PAYLOADS})
    return dict(sorted(schemas.items()))


def event_name(payload: type[Payload]) -> str:
    """The name of the schema of an event with this payload."""
    return f"{payload.__name__}Event"


def event_schema(payload: type[Payload]) -> Schema:
    """The envelope with one type and its payload: the model's own payload is a union, and the type decides."""
    envelope = Event.model_json_schema(ref_template=f"{REF}{{model}}")
    envelope.pop("$defs")
    schema = as_sent(_described(Event, envelope))
    schema["title"] = event_name(payload)
    schema["description"] = f"One logged event of the type `{payload.type}`."
    schema["properties"]["type"] = {**_plain(schema, "type"), "type": "string", "const": payload.type.value}
    schema["properties"]["payload"] = {**_plain(schema, "payload"), "allOf": [{"$ref": f"{REF}{payload.__name__}"}]}
    return schema


def as_sent(schema: Schema) -> Schema:
    """The schema of what the server sends: fields with a default are there, absent ones are left out and never null,
    and a later version may add fields. A default is what to take where a server of an earlier one has no such field."""
    if "properties" not in schema:
        return schema
    properties = {name: _without_null(inner) for name, inner in schema["properties"].items()}
    required = [name for name, inner in schema["properties"].items() if not _may_be_null(inner)]
    kept = {key: value for key, value in schema.items() if key != "additionalProperties"}
    return {**kept, "properties": properties, "required": required}


def all_references(node: object) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from all_references(value)
    elif isinstance(node, list):
        for item in node:
            yield from all_references(item)


def _definitions(models: Sequence[type[BaseModel]]) -> dict[str, Schema]:
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=f"{REF}{{model}}")
    definitions: dict[str, Schema] = document["$defs"]
    by_name = {model.__name__: model for model in _with_inner(models)}
    return {
        name: _described(by_name[name], schema) if name in by_name else schema for name, schema in definitions.items()
    }


def _with_inner(models: Sequence[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The models and those that their fields hold."""
    for model in models:
        yield model
        for field in model.model_fields.values():
            yield from _with_inner([inner for inner in _classes_in(field.annotation) if issubclass(inner, BaseModel)])


def _classes_in(annotation: object) -> Iterator[type]:
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _classes_in(inner)


def _described(model: type[BaseModel], schema: Schema) -> Schema:
    """With each field's docstring, and without the titles that pydantic makes of field names."""
    texts = field_texts(model)
    properties: dict[str, Schema] = {}
    for name, inner in schema["properties"].items():
        plain = {key: value for key, value in inner.items() if key != "title"}
        for part in (plain, *plain.get("anyOf", ())):
            if "patternProperties" in part:
                part["additionalProperties"] = False
        if (model, name) in MORE_LIMITS:
            plain["x-limit"] = MORE_LIMITS[model, name]
        # Draft 07 ignores what stands beside `$ref`.
        if "$ref" in plain:
            plain["allOf"] = [{"$ref": plain.pop("$ref")}]
        if name in texts:
            plain["description"] = texts[name]
        properties[name] = plain
    return {**schema, "description": " ".join(schema["description"].split()), "properties": properties}


def _plain(schema: Schema, name: str) -> Schema:
    return {"description": schema["properties"][name]["description"]}


def _may_be_null(schema: Schema) -> bool:
    return {"type": "null"} in schema.get("anyOf", [])


def _without_null(schema: Schema) -> Schema:
    always = not _may_be_null(schema)
    if always and "const" not in schema:
        return schema
    kept = {key: value for key, value in schema.items() if key != "default"}
    if always:
        return kept
    (only,) = (inner for inner in kept.pop("anyOf") if inner != {"type": "null"})
    return {**only, **kept}
