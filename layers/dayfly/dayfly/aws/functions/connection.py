"""The connection function: stores whose socket this is, and forgets it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.auth.bearer import offered_protocols
from dayfly.aws.functions.wiring import Peer, Wiring
from dayfly.aws.settings import ConnectionSettings
from dayfly.delivery.sockets import Connections
from dayfly.errors import PortError
from dayfly.protocol.limits import SUBPROTOCOL
from dayfly.runs.invoker import Invoker

_log = logging.getLogger("dayfly.aws.functions.connection")


class ConnectionFunction:
    """Composition root of the connection function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = ConnectionSettings.read(environ)
        self._wiring = Wiring(settings, engine=settings.engine_function)
        self._connections = Connections(table=self._wiring.table, clock=self._wiring.clock)
        self._warmer: Invoker | None = self._wiring.invoker if settings.warm_up else None

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answers `$connect` (its status is the handshake's) and `$disconnect`."""
        peer = Peer.of(event)
        with self._wiring.invocation(context, user=peer.user_id, connection=peer.connection_id):
            if event["requestContext"]["eventType"] == "CONNECT":
                asyncio.run(self._connect(peer))
                return _welcome(event)
            asyncio.run(self._disconnect(peer))
            return {"statusCode": 200}

    async def _connect(self, peer: Peer) -> None:
        await asyncio.gather(
            self._connections.opened(connection_id=peer.connection_id, user_id=peer.user_id, tenant_id=peer.tenant_id),
            self._warm_up(peer),
        )
        _log.info("connected")

    async def _warm_up(self, peer: Peer) -> None:
        """Has an environment of the engine started, which the user's first message would else wait for. If that fails,
        the connection is accepted all the same."""
        if self._warmer is None:
            return
        try:
            await self._warmer.warm_up(user_id=peer.user_id, tenant_id=peer.tenant_id)
        except PortError as error:
            _log.warning("engine not warmed up", extra={"reason": str(error)})

    async def _disconnect(self, peer: Peer) -> None:
        """Best effort, as `$disconnect` itself is: TTL and 410 cover the rest."""
        try:
            await self._connections.closed(connection_id=peer.connection_id, user_id=peer.user_id)
        except PortError as error:
            _log.warning("socket not forgotten", extra={"reason": str(error)})
        _log.info("disconnected")


def _welcome(event: Mapping[str, Any]) -> dict[str, Any]:
    """The handshake's answer: of the offered subprotocols the version alone, never the token.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
    """
    if SUBPROTOCOL not in offered_protocols(event):
        return {"statusCode": 200}
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
