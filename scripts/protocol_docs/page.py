"""docs/protocol.md: fixed prose from template.md, facts from the models."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from dayfly.engine.attempt import MOST_APPROVALS
from dayfly.protocol import limits
from dayfly.protocol.events import TERMINAL_TYPES
from dayfly.protocol.frames import ClientFrame, Run
from dayfly.recovery.actions import MOST_RESUMES
from dayfly.store.rows import QUEUE_LENGTH
from scripts.protocol_docs import examples
from scripts.protocol_docs.asyncapi import NOT_YET_ACTION
from scripts.protocol_docs.catalog import (
    CLIENT_FRAMES,
    PAYLOADS,
    REPLIES,
    SIGNALS,
    code_facts,
    name_on_wire,
)
from scripts.protocol_docs.docstrings import text_of
from scripts.protocol_docs.schemas import Schema, component_schemas, event_name
from scripts.protocol_docs.sizes import CONNECTION_HOURS, IDLE_MINUTES, SILENCE_S, kilobytes, limits_table
from scripts.protocol_docs.tables import field_table, reference_of, table

TEMPLATE: Final = Path(__file__).with_name("template.md")
_PLACE: Final = re.compile(r"\{\{([a-z_]+)\}\}")


def protocol_page() -> str:
    """The page. Raises `KeyError` where the template names what is not made, `ValueError` for the reverse."""
    made = _parts(component_schemas())
    template = TEMPLATE.read_text(encoding="utf-8")
    if unused := set(made) - set(_PLACE.findall(template)):
        raise ValueError(f"template.md has no place for {sorted(unused)}")
    return _PLACE.sub(lambda place: made[place[1]], template)


def _parts(schemas: Mapping[str, Schema]) -> dict[str, str]:
    known = dict(schemas)
    return {
        "subprotocol": limits.SUBPROTOCOL,
        "frame_bytes": kilobytes(limits.FRAME_BYTES),
        "text_bytes": kilobytes(limits.TEXT_BYTES),
        "idle_minutes": str(IDLE_MINUTES),
        "connection_hours": str(CONNECTION_HOURS),
        "silence_s": str(SILENCE_S),
        "not_yet": _not_yet(),
        "if_busy_default": str(Run.model_fields["if_busy"].default),
        "actions": _actions(),
        "frames": "\n\n".join(_frames(known)),
        "replies": "\n\n".join(_replies(known)),
        "envelope": field_table(known[event_name(PAYLOADS[0])] | {"properties": _envelope(known)}, known, sent=True),
        "events": "\n\n".join(_events(known)),
        "signals": "\n\n".join(_signals(known)),
        "terminal": ", ".join(f"`{payload.type}`" for payload in PAYLOADS if payload.type in TERMINAL_TYPES),
        "run": _conversation(examples.CONVERSATION),
        "approval_run": _conversation(examples.APPROVAL_CONVERSATION),
        "attach_cursors": str(limits.ATTACH_CURSORS),
        "queue_length": str(QUEUE_LENGTH),
        "most_approvals": str(MOST_APPROVALS),
        "most_resumes": str(MOST_RESUMES),
        "request_codes": _codes(answers_request=True),
        "run_codes": _codes(answers_request=False),
        "limits": limits_table(),
    }


def _not_yet() -> str:
    return "\n".join(
        f"- `{name_on_wire(frame)}` is answered with the error `not_supported`."
        for frame in CLIENT_FRAMES
        if not frame.reply
    )


def _conversation(frames: Iterable[examples.AnyFrame]) -> str:
    """Frames one below the other, as they cross: `→` sent by the client, `←` by the server."""
    return "\n".join(f"{'→' if isinstance(frame, ClientFrame) else '←'} {examples.encoded(frame)}" for frame in frames)


def _actions() -> str:
    return table(
        ("Action", "What it does", "Reply"),
        (
            (
                f"[`{name_on_wire(frame)}`](#{name_on_wire(frame)})",
                text_of(frame),
                f"`{name_on_wire(frame.reply)}`" if frame.reply else "error `not_supported`, for now",
            )
            for frame in CLIENT_FRAMES
        ),
    )


def _frames(schemas: dict[str, Schema]) -> Iterator[str]:
    for frame in CLIENT_FRAMES:
        note = "" if frame.reply else f"\n\n**Not yet.** {NOT_YET_ACTION}"
        fields = field_table(schemas[frame.__name__], schemas, sent=False)
        example = _block(examples.encoded(examples.of_frame(frame)))
        yield f"### {name_on_wire(frame)}\n\n{text_of(frame)}{note}\n\n{fields}\n\n{example}"


def _replies(schemas: dict[str, Schema]) -> Iterator[str]:
    for reply in REPLIES:
        yield f"### Reply `{name_on_wire(reply)}`\n\n{text_of(reply)}\n\n{_fields(reply, schemas)}"
        yield _block(examples.encoded(examples.of_reply(reply)))


def _events(schemas: dict[str, Schema]) -> Iterator[str]:
    for payload in PAYLOADS:
        yield f"### Event `{payload.type}`\n\n{text_of(payload)}\n\n{_fields(payload, schemas)}"
        yield _block(examples.encoded(examples.of_event(payload)))


def _signals(schemas: dict[str, Schema]) -> Iterator[str]:
    for signal, example in zip(SIGNALS, examples.SIGNALS, strict=True):
        yield f"### Signal `{name_on_wire(signal)}`\n\n{text_of(signal)}\n\n{_fields(signal, schemas)}"
        yield _block(examples.encoded(example))


def _fields(model: type[BaseModel], schemas: dict[str, Schema]) -> str:
    """The model's table, and one below it for each object that stands in a field."""
    schema = schemas[model.__name__]
    parts = [field_table(schema, schemas, sent=True)]
    for inner in schema["properties"].values():
        name = reference_of(inner) or reference_of(inner.get("items", {}))
        if name is not None and "properties" in schemas[name]:
            parts.append(f"`{name}`: {schemas[name]['description']}")
            parts.append(field_table(schemas[name], schemas, sent=True))
    return "\n\n".join(parts)


def _envelope(schemas: dict[str, Schema]) -> Schema:
    """The envelope's fields for the type in general."""
    properties = schemas[event_name(PAYLOADS[0])]["properties"]
    general = {"type": "string", "payload": "object"}
    return {
        name: {"type": general[name], "description": inner["description"]} if name in general else inner
        for name, inner in properties.items()
    }


def _codes(*, answers_request: bool) -> str:
    return table(
        ("Code", "Meaning", "Retryable"),
        (
            (f"`{facts.code}`", facts.meaning, "yes" if facts.retryable else "no")
            for facts in code_facts()
            if (facts.answers_request if answers_request else facts.ends_run)
        ),
    )


def _block(text: str) -> str:
    pretty = text if len(text) <= 100 else json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return f"```json\n{pretty}\n```"
