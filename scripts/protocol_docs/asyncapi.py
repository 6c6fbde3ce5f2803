"""The AsyncAPI 3.0 document: one channel, the server's point of view.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from dayfly.protocol import limits
from dayfly.protocol.replies import Error
from scripts.protocol_docs import examples
from scripts.protocol_docs.catalog import (
    CLIENT_FRAMES,
    PAYLOADS,
    REPLIES,
    SIGNALS,
    name_on_wire,
)
from scripts.protocol_docs.docstrings import text_of
from scripts.protocol_docs.schemas import REF, component_schemas, event_name

Json = dict[str, Any]
"""A piece of the document, whose shape the AsyncAPI specification defines."""

CHANNEL: Final = "chat"
NOT_YET_ACTION: Final = "This version of the backend answers `not_supported`."


def asyncapi_document() -> Json:
    """The whole document. `receive` is what clients send, `send` is what they get."""
    messages = dict(_messages())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dayfly",
            "version": "1",
            "description": "The wire protocol of the chat socket, version 1. docs/protocol.md explains it.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "aws": {
                "host": "{apiId}.execute-api.{region}.amazonaws.com",
                "protocol": "wss",
                "pathname": "/live",
                "description": "API Gateway",
                "variables": {
                    "apiId": {"description": "The API's id; the stack's outputs name the whole address."},
                    "region": {"description": "The AWS region.", "examples": ["eu-central-1"]},
                },
                "security": _security(),
            },
            "local": {
                "host": "127.0.0.1:3001",
                "protocol": "ws",
                "pathname": "/live",
                "description": "The emulator, `make run`",
                "security": _security(),
            },
        },
        "channels": {
            CHANNEL: {
                "title": "The chat socket",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": _handshake()},
            }
        },
        "operations": dict(_operations()),
        "components": {
            "messages": messages,
            "schemas": component_schemas(),
            "securitySchemes": {
                "subprotocol": {
                    "type": "httpApiKey",
                    "in": "header",
                    "name": "Sec-WebSocket-Protocol",
                    "description": f"`{limits.SUBPROTOCOL}, bearer.<jwt>`; the server answers `{limits.SUBPROTOCOL}`.",
                },
                "query": {
                    "type": "httpApiKey",
                    "in": "query",
                    "name": "token",
                    "description": "For tools that cannot set subprotocols. A URL may stand in logs.",
                },
            },
        },
    }


def _security() -> list[Json]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("subprotocol", "query")]


def _handshake() -> Json:
    header = {"type": "string", "description": f"`{limits.SUBPROTOCOL}, bearer.<jwt>`"}
    return {
        "method": "GET",
        "query": {"type": "object", "properties": {"token": {"type": "string", "description": "A JWT."}}},
        "headers": {"type": "object", "properties": {"Sec-WebSocket-Protocol": header}},
        "bindingVersion": "0.1.0",
    }


def _messages() -> Iterator[tuple[str, Json]]:
    for frame in CLIENT_FRAMES:
        note = "" if frame.reply else NOT_YET_ACTION
        example = examples.encoded(examples.of_frame(frame))
        yield name_on_wire(frame), _message(frame, frame.__name__, example, note, answered=True)
    for reply in REPLIES:
        example = examples.encoded(examples.of_reply(reply))
        yield reply_name(reply), _message(reply, reply.__name__, example, answered=True)
    for payload in PAYLOADS:
        example = examples.encoded(examples.of_event(payload))
        yield payload.type.value, _message(payload, event_name(payload), example)
    told = dict(zip(SIGNALS, examples.SIGNALS, strict=True))
    for signal in SIGNALS:
        yield name_on_wire(signal), _message(signal, signal.__name__, examples.encoded(told[signal]))


def reply_name(reply: type[Any]) -> str:
    """The key of a reply's message: `threads` and `history` are also names of actions."""
    return f"{name_on_wire(reply)}_reply"


def _message(model: type, schema: str, example: str, note: str = "", *, answered: bool = False) -> Json:
    message: Json = {
        "name": schema,
        "title": schema,
        "summary": " ".join(part for part in (text_of(model), note) if part),
        "payload": {"$ref": f"{REF}{schema}"},
        "examples": [{"payload": json.loads(example)}],
    }
    if answered:
        message["correlationId"] = {"location": "$message.payload#/id", "description": "The client's request id."}
    return message


def _operations() -> Iterator[tuple[str, Json]]:
    for frame in CLIENT_FRAMES:
        answers = [reply_name(frame.reply)] if frame.reply else []
        yield (
            name_on_wire(frame),
            {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{CHANNEL}"},
                "summary": text_of(frame) + ("" if frame.reply else f" {NOT_YET_ACTION}"),
                "messages": _in_channel(name_on_wire(frame)),
                "reply": {
                    "channel": {"$ref": f"#/channels/{CHANNEL}"},
                    "messages": _in_channel(*answers, reply_name(Error)),
                },
            },
        )
    yield "events", _sending("The events of every thread that the connection watches.", *(p.type for p in PAYLOADS))
    yield "signals", _sending("Frames that are not logged and have no seq.", *map(name_on_wire, SIGNALS))


def _sending(summary: str, *names: str) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": summary,
        "messages": _in_channel(*names),
    }


def _in_channel(*names: str) -> list[Json]:
    return [{"$ref": f"#/channels/{CHANNEL}/messages/{name}"} for name in names]
