"""The API Gateway Management API of one stage: POST, GET and DELETE on `@connections`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import json
from datetime import UTC, datetime

from websockets.frames import CloseCode

from emulator.gateway.api import WebSocketApi
from emulator.gateway.asgi import JSON, BodyTooLarge, Receive, Scope, Send, is_signed, read_body, respond, respond_error
from emulator.gateway.connection import Connection
from emulator.gateway.ids import is_id, new_id


async def manage(api: WebSocketApi, connection_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for one connection of `api`."""
    request_id = new_id()
    method: str = scope["method"]
    if not is_signed(scope):
        message = "Missing Authentication Token"
        await respond_error(send, 403, "MissingAuthenticationTokenException", request_id, message=message)
    elif not is_id(connection_id):
        message = f"Invalid connectionId: {connection_id}"
        await respond_error(send, 400, "BadRequestException", request_id, message=message)
    elif method == "POST":
        await _post(api, connection_id, request_id, receive, send)
    elif method not in ("GET", "DELETE"):
        await respond_error(send, 403, "ForbiddenException", request_id, message="Forbidden")
    elif (connection := api.open_connection(connection_id)) is None:
        await _gone(send, request_id)
    elif method == "DELETE":
        connection.close(CloseCode.NORMAL_CLOSURE, "Connection Closed Normally")
        await respond(send, 204, headers=((b"x-amzn-requestid", request_id.encode()),))
    else:
        await respond(send, 200, _facts(connection), headers=((b"x-amzn-requestid", request_id.encode()), JSON))


async def _post(api: WebSocketApi, connection_id: str, request_id: str, receive: Receive, send: Send) -> None:
    try:
        data = await read_body(receive, limit=api.limits.message_bytes)
    except BodyTooLarge:
        message = "Message too long"
        await respond_error(send, 413, "PayloadTooLargeException", request_id, message=message)
        return
    fault = await api.faults.on_post(connection_id)
    # Posting while $connect still runs finds no connection yet, and is answered as on AWS: Gone.
    connection = api.open_connection(connection_id)
    if connection is None or fault == "gone":
        await _gone(send, request_id)
    elif connection.congested or fault == "throttled":
        # The model's words: "the WebSocket client side buffer is full".
        await respond_error(send, 429, "LimitExceededException", request_id, message="Limit exceeded")
    else:
        # Clients get text frames only, which must be UTF-8 (RFC 6455 section 8.1).
        connection.post(data if data.isascii() else data.decode(errors="replace").encode())
        await respond(send, 200, headers=((b"x-amzn-requestid", request_id.encode()),))


async def _gone(send: Send, request_id: str) -> None:
    await respond_error(send, 410, "GoneException", request_id)


def _facts(connection: Connection) -> bytes:
    facts = connection.facts
    return json.dumps(
        {
            "connectedAt": _iso(facts.connected_at / 1000),
            "identity": {"sourceIp": facts.source_ip, "userAgent": facts.user_agent},
            "lastActiveAt": _iso(connection.last_active),
        }
    ).encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
