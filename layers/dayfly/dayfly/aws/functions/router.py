"""The router function: answers every frame. It never loads the agent layer."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.functions.wiring import Peer, Wiring
from dayfly.aws.settings import RouterSettings
from dayfly.context.caller import Caller
from dayfly.protocol.parse import request_id_of
from dayfly.router.router import Router

_log = logging.getLogger("dayfly.aws.functions.router")


class RouterFunction:
    """Composition root of the router function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = RouterSettings.read(environ)
        self._wiring = Wiring(settings, engine=settings.engine_function)
        # Replies have a poster of their own: sockets that take no events must not hold back whoever asks.
        self._router = Router(ports=self._wiring.ports, replies=self._wiring.poster())

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
        """Answers one frame through `@connections`; the returned status is for API Gateway's own metrics."""
        peer = Peer.of(event)
        body = event.get("body") or ""
        ids = {"user": peer.user_id, "connection": peer.connection_id, "request": request_id_of(body) or ""}
        caller = Caller(
            user_id=peer.user_id,
            tenant_id=peer.tenant_id,
            connection_id=peer.connection_id,
            invocation_id=context.aws_request_id,
            claims=peer.claims,
        )
        with self._wiring.invocation(context, **ids):
            try:
                asyncio.run(self._router.handle(caller, body))
            except Exception:  # noqa: BLE001  # the invocation's outermost boundary
                # The client has its `internal` already; an error raised here would send it API Gateway's own frame on
                # top. The status makes it an integration error, which an alarm watches.
                _log.exception("unexpected")
                return {"statusCode": 500}
        return {"statusCode": 200}
