"""The router function: answers every frame. It never loads the agent layer."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws import clients
from dayfly.aws.calls import Pool
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.invoker import LambdaInvoker
from dayfly.aws.peer import Peer
from dayfly.aws.poster import ApiGatewayPoster
from dayfly.aws.settings import RouterSettings
from dayfly.aws.telemetry.invocation import Telemetry
from dayfly.clock import SystemClock
from dayfly.context.caller import Caller
from dayfly.protocol.parse import request_id_of
from dayfly.router.router import Router
from dayfly.runs.ports import Ports

_log = logging.getLogger("dayfly.aws.functions.router")


class RouterFunction:
    """Composition root of the router function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = RouterSettings.read(environ)
        self._telemetry = Telemetry(settings)
        self._pool = Pool()
        # Posts have threads of their own: a slow socket must not hold back the log, the lease or a cancel.
        # Replies have theirs, too: sockets that take nothing must not hold back whoever asks.
        self._posts, self._replies = Pool(), Pool()
        clock, meter = SystemClock(), self._telemetry.meter
        management = clients.management_client()
        ports = Ports(
            table=DynamoTable(clients.dynamodb_client(), settings.table_name, self._pool),
            poster=ApiGatewayPoster(management, self._posts, clock=clock, meter=meter),
            invoker=LambdaInvoker(
                clients.lambda_client(),
                self._pool,
                function=settings.engine_function,
                isolation=settings.isolation,
            ),
            clock=clock,
            meter=meter,
        )
        replies = ApiGatewayPoster(management, self._replies, clock=clock, meter=meter)
        self._router = Router(ports=ports, replies=replies)

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
        )
        with self._telemetry.invocation(context, **ids), self._pool, self._posts, self._replies:
            try:
                asyncio.run(self._router.handle(caller, body))
            except Exception:  # noqa: BLE001  # the invocation's outermost boundary
                # The client has its `internal` already; an error raised here would send it API Gateway's own frame on
                # top. The status makes it an integration error, which an alarm watches.
                _log.exception("unexpected")
                return {"statusCode": 500}
        return {"statusCode": 200}
