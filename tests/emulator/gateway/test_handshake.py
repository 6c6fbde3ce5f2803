"""The upgrade request as functions see it.

Source: the example of https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
"""

from __future__ import annotations

import json

import pytest

from emulator.gateway.handshake import Handshake, error_frame, refusal


def handshake(*headers: tuple[str, str], query: str = "", secure: bool = False) -> Handshake:
    """A handshake from this machine to port 443."""
    return Handshake(stage="live", query=query, headers=headers, source_ip="127.0.0.1", port=443, secure=secure)


@pytest.mark.parametrize(("secure", "protocol"), [(True, "https"), (False, "http")])
def test_the_gateway_says_where_a_request_came_in(secure: bool, protocol: str) -> None:
    """Address, port and protocol, as a load balancer does."""
    headers = dict(handshake(("Host", "x"), secure=secure).all_headers)
    assert headers.pop("X-Amzn-Trace-Id").startswith("Root=1-")
    assert headers == {
        "Host": "x", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": "443", "X-Forwarded-Proto": protocol,
    }  # fmt: skip


def test_headers_of_one_hop_end_at_the_gateway() -> None:
    """RFC 9110 section 7.6.1."""
    given = handshake(("Connection", "Upgrade"), ("upgrade", "websocket"), ("X-A", "1"))
    assert given.end_to_end_headers[0] == ("X-A", "1")
    assert len(given.end_to_end_headers) == len(given.all_headers) - 2


def test_the_last_value_is_the_value() -> None:
    """Of headers in any case and of query parameters, decoded."""
    given = handshake(("X-A", "1"), ("x-a", "2"), query="b=1&b=%C3%A4+c&empty=")
    assert (given.header("X-a"), given.header("X-None")) == ("2", "")
    assert (given.query_parameter("b"), given.query_parameter("empty"), given.query_parameter("B")) == ("ä c", "", "")


def test_a_refusal_is_json_that_names_the_connection() -> None:
    """And a request, in the body and in a header."""
    refused = refusal(403, "Forbidden", "AccessDeniedException", "abc=")
    headers = dict(refused.headers)
    assert json.loads(refused.body) == {
        "message": "Forbidden", "connectionId": "abc=", "requestId": headers["x-amzn-RequestId"],
    }  # fmt: skip
    assert headers["x-amzn-ErrorType"] == "AccessDeniedException"


def test_an_error_frame_escapes_its_message() -> None:
    """It is JSON whatever the message."""
    assert json.loads(error_frame('a "b"', "abc=", "def="))["message"] == 'a "b"'
