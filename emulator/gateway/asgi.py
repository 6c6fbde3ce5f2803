"""The few words of ASGI that the hot endpoints need, without a framework in between."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")


class BodyTooLarge(Exception):
    """A request body is over its limit."""


class ClientLeft(Exception):
    """The client broke off before its request was whole."""


async def read_body(receive: Receive, *, limit: int) -> bytes:
    """The request's body. Raises `BodyTooLarge` over `limit` bytes (after reading on, so that the answer arrives).

    Raises `ClientLeft` rather than return half a body.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body", False):
            break
    if size > limit:
        raise BodyTooLarge(size)
    return b"".join(chunks)


async def respond(send: Send, status: int, body: bytes = b"", *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole response."""
    length = () if status == 204 else ((b"content-length", str(len(body)).encode()),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})


async def respond_error(send: Send, status: int, error: str, request_id: str, **body: str) -> None:
    """Send an error as botocore's rest-json parser reads it: the type in a header, the rest in the body."""
    headers = ((b"x-amzn-errortype", error.encode()), (b"x-amzn-requestid", request_id.encode()), JSON)
    await respond(send, status, json.dumps(body).encode(), headers=headers)


def header(scope: Scope, name: bytes) -> str:
    """The value of a request header, or an empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def is_signed(scope: Scope) -> bool:
    """Whether the request carries an AWS signature (version 4); whose, and whether it is right, is not looked at."""
    return (
        header(scope, b"authorization").startswith("AWS4-HMAC-SHA256 ") or b"X-Amz-Signature=" in scope["query_string"]
    )
