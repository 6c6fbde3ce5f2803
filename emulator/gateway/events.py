"""The event JSON that API Gateway hands to authorizers and integrations of a WebSocket API.

Field by field after
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.gateway.handshake import Handshake
from emulator.gateway.ids import new_id

Json = dict[str, object]


@dataclass(frozen=True)
class ConnectionFacts:
    """What every event of one connection says about it. `connected_at` is in milliseconds since 1970."""

    api_id: str
    stage: str
    domain_name: str
    connection_id: str
    connected_at: int
    source_ip: str
    user_agent: str
    stage_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One event, the request id it carries, and its `requestContext`."""

    request_id: str
    payload: bytes
    context: Mapping[str, object]


def authorizer_event(facts: ConnectionFacts, handshake: Handshake, *, method_arn: str) -> Event:
    """What a REQUEST authorizer of `$connect` is asked."""
    request_id = new_id()
    context = _context(facts, "$connect", "CONNECT", request_id)
    body: Json = {
        "type": "REQUEST",
        "methodArn": method_arn,
        # Its example has this header, that of an integration has not.
        **_headers((*handshake.all_headers, ("content-length", "0"))),
        "queryStringParameters": dict(handshake.query_parameters),
        "multiValueQueryStringParameters": _grouped(handshake.query_parameters),
        "stageVariables": dict(facts.stage_variables),
        "requestContext": context,
    }
    return Event(request_id, json.dumps(body).encode(), context)


def connect_event(facts: ConnectionFacts, handshake: Handshake, authorizer: Mapping[str, object] | None) -> Event:
    """What the `$connect` integration gets."""
    request_id = new_id()
    body: Json = {**_headers(handshake.end_to_end_headers)}
    if handshake.query_parameters:
        body["queryStringParameters"] = dict(handshake.query_parameters)
        body["multiValueQueryStringParameters"] = _grouped(handshake.query_parameters)
    body |= _stage_variables(facts)
    context = _context(facts, "$connect", "CONNECT", request_id, authorizer)
    body["requestContext"] = context
    body["isBase64Encoded"] = False
    return Event(request_id, json.dumps(body).encode(), context)


def message_event(facts: ConnectionFacts, route_key: str, text: str, authorizer: Mapping[str, object] | None) -> Event:
    """What the integration of a route gets for one message of the client."""
    request_id = new_id()
    context = _context(facts, route_key, "MESSAGE", request_id, authorizer)
    context["messageId"] = new_id()
    body: Json = {**_stage_variables(facts), "requestContext": context, "body": text, "isBase64Encoded": False}
    return Event(request_id, json.dumps(body).encode(), context)


def disconnect_event(
    facts: ConnectionFacts, handshake: Handshake, code: int, reason: str, authorizer: Mapping[str, object] | None
) -> Event:
    """What the `$disconnect` integration gets; of the headers only `Host` and some empty ones are left."""
    request_id = new_id()
    context = _context(facts, "$disconnect", "DISCONNECT", request_id, authorizer)
    context["disconnectStatusCode"] = code
    context["disconnectReason"] = reason
    headers = (
        ("Host", handshake.header("host")),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    )
    body: Json = {**_headers(headers), **_stage_variables(facts), "requestContext": context, "isBase64Encoded": False}
    return Event(request_id, json.dumps(body).encode(), context)


def _context(
    facts: ConnectionFacts,
    route_key: str,
    event_type: str,
    request_id: str,
    authorizer: Mapping[str, object] | None = None,
) -> Json:
    now = time.time()
    identity = {"sourceIp": facts.source_ip}
    if facts.user_agent:
        identity = {"userAgent": facts.user_agent, **identity}
    context: Json = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "messageDirection": "IN",
        "stage": facts.stage,
        "connectedAt": facts.connected_at,
        "requestTimeEpoch": int(now * 1000),
        "identity": identity,
        "requestId": request_id,
        "domainName": facts.domain_name,
        "connectionId": facts.connection_id,
        "apiId": facts.api_id,
    }
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    return context


def _stage_variables(facts: ConnectionFacts) -> Json:
    # Integrations, unlike authorizers, get the field only if the stage has any.
    return {"stageVariables": dict(facts.stage_variables)} if facts.stage_variables else {}


def _headers(pairs: Iterable[tuple[str, str]]) -> Json:
    pairs = tuple(pairs)
    return {"headers": dict(pairs), "multiValueHeaders": _grouped(pairs)}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
