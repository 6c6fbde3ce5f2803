"""The HTTP request that asks for a WebSocket, and what the client is told if it does not get one."""

import json
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from emulator.gateway.ids import new_id

# A forwarding proxy ends these (RFC 9110 section 7.6.1), so a `$connect` integration never sees them.
_HOP_BY_HOP = frozenset({"connection", "upgrade"})


@dataclass(frozen=True)
class Handshake:
    """An upgrade request. `stage` is the path without its slashes; header names are spelled as the client did."""

    stage: str
    query: str
    headers: tuple[tuple[str, str], ...]
    source_ip: str
    port: int
    secure: bool = False

    @cached_property
    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """The client's headers and those API Gateway's own front adds."""
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
        trace = f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()}"
        return (
            *self.headers,
            ("X-Amzn-Trace-Id", trace),
            ("X-Forwarded-For", self.source_ip),
            ("X-Forwarded-Port", str(self.port)),
            ("X-Forwarded-Proto", "https" if self.secure else "http"),
        )

    @cached_property
    def end_to_end_headers(self) -> tuple[tuple[str, str], ...]:
        """`all_headers` without those that concern one hop."""
        return tuple((name, value) for name, value in self.all_headers if name.lower() not in _HOP_BY_HOP)

    @cached_property
    def query_parameters(self) -> tuple[tuple[str, str], ...]:
        """Decoded, in order, repeated ones too."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    def header(self, name: str) -> str:
        """The last value of a header, any case, or an empty string."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), "")

    def query_parameter(self, name: str) -> str:
        """The last value of a query parameter, or an empty string."""
        return next((value for key, value in reversed(self.query_parameters) if key == name), "")


@dataclass(frozen=True)
class Accepted:
    """The handshake may complete; `subprotocol` is what the `$connect` integration returned."""

    subprotocol: str | None = None


@dataclass(frozen=True)
class Refused:
    """The handshake fails with an HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=())
    body: bytes = b""


def refusal(status: int, message: str, error: str, connection_id: str) -> Refused:
    """API Gateway's own refusal of a handshake, in the form its WebSocket gateway responses have."""
    request_id = new_id()
    body = error_frame(message, connection_id, request_id)
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error), ("x-amzn-RequestId", request_id))
    return Refused(status=status, headers=headers, body=body)


def error_frame(message: str, connection_id: str, request_id: str) -> bytes:
    """`{"message": …, "connectionId": …, "requestId": …}`, the JSON that API Gateway sends for its own errors."""
    return (
        f'{{"message": {json.dumps(message)}, "connectionId":"{connection_id}", "requestId":"{request_id}"}}'
    ).encode()
