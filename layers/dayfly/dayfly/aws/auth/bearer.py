"""Finds a socket's token: in the subprotocols that the client offers, or in the query.

Source: RFC 6455 section 4.1 (`Sec-WebSocket-Protocol`: comma-separated, header names in any case).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

HEADER: Final = "sec-websocket-protocol"
PREFIX: Final = "bearer."
QUERY: Final = "token"


def offered_protocols(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The subprotocols that the client offers, in its order."""
    return tuple(name.strip() for header in _headers(event) for name in header.split(","))


def bearer_token(event: Mapping[str, Any]) -> str | None:
    """The token of a `$connect` event, or `None` where there is none. The subprotocol comes before the query: a query
    may stand in a log."""
    for name in offered_protocols(event):
        if name.startswith(PREFIX) and len(name) > len(PREFIX):
            return name.removeprefix(PREFIX)
    query = event.get("queryStringParameters") or {}
    token: str | None = query.get(QUERY)
    return token or None


def _headers(event: Mapping[str, Any]) -> Iterator[str]:
    several = event.get("multiValueHeaders")
    if several:
        for name, values in several.items():
            if name.lower() == HEADER:
                yield from values
        return
    for name, value in (event.get("headers") or {}).items():
        if name.lower() == HEADER:
            yield value
