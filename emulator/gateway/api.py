"""One WebSocket API: connects, routes messages, tells the application of the end."""

import asyncio
import logging
import re
import time
from collections.abc import Coroutine
from functools import partial

from emulator.contract import ApiSpec, Functions, RouteSpec
from emulator.gateway.authorizer import RequestAuthorizer
from emulator.gateway.connection import Connection, State
from emulator.gateway.events import ConnectionFacts, connect_event, disconnect_event, message_event
from emulator.gateway.faults import Faults
from emulator.gateway.handshake import Accepted, Handshake, Refused, error_frame, refusal
from emulator.gateway.ids import new_id
from emulator.gateway.integration import IntegrationFailed, Integrations, IntegrationTimedOut
from emulator.gateway.limits import Limits
from emulator.gateway.route_selection import RouteSelection
from emulator.gateway.socket import Socket
from emulator.gateway.throttle import Throttles

log = logging.getLogger("emulator.gateway")

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class WebSocketApi:
    """Serves one API on one stage. `arn` is `arn:aws:execute-api:{region}:{account}:{apiId}`."""

    def __init__(
        self, spec: ApiSpec, *, functions: Functions, arn: str, domain_name: str, limits: Limits, faults: Faults
    ) -> None:
        self.spec = spec
        self.limits = limits
        self.faults = faults
        self._domain_name = domain_name
        self._routes = {route.route_key: route for route in spec.routes}
        self._selection = RouteSelection(spec.route_selection)
        self._throttles = Throttles(spec.throttling)
        self._integrations = Integrations(functions, timeout=limits.integration_timeout)
        connect = self._routes.get("$connect")
        self._authorizer = (
            RequestAuthorizer(spec, connect.authorizer, integrations=self._integrations, arn=arn)
            if connect is not None and connect.authorizer is not None
            else None
        )
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open_connection(self, connection_id: str) -> Connection | None:
        """The open connection of this id. A connection that is still connecting is none yet."""
        connection = self._connections.get(connection_id)
        return connection if connection is not None and connection.state is State.OPEN else None

    def connections(self) -> tuple[Connection, ...]:
        """The open connections, oldest first."""
        return tuple(each for each in self._connections.values() if each.state is State.OPEN)

    def limit(self, limits: Limits) -> None:
        """Keep other limits from now on, for open connections too. Calls that are under way keep their time-out."""
        self.limits = limits
        self._integrations.timeout = limits.integration_timeout
        for connection in self._connections.values():
            connection.limit(limits)

    def handshake(self, socket: Socket, handshake: Handshake) -> None:
        """Take an upgrade request; the socket is accepted or refused when authorizer and `$connect` have answered."""
        self._spawn(self._connect(socket, handshake))

    async def stop(self) -> None:
        """Close every socket without telling the application, as when a whole gateway dies."""
        for task in tuple(self._tasks):
            task.cancel()
        connections, self._connections = tuple(self._connections.values()), {}
        for connection in connections:
            connection.end()

    # $connect

    async def _connect(self, socket: Socket, handshake: Handshake) -> None:
        started = time.monotonic()
        facts = ConnectionFacts(
            api_id=self.spec.api_id,
            stage=self.spec.stage,
            domain_name=self._domain_name,
            connection_id=new_id(),
            connected_at=int(time.time() * 1000),
            source_ip=handshake.source_ip,
            user_agent=handshake.header("user-agent"),
            stage_variables=self.spec.stage_variables,
        )
        try:
            outcome = await self._admit(facts, handshake, socket)
        except BaseException:
            # Stopping, or a fault of the emulator: never leave a client waiting for its handshake.
            socket.refuse(refusal(500, "Internal server error", "InternalServerErrorException", facts.connection_id))
            raise
        status = outcome.status if isinstance(outcome, Refused) else 101
        elapsed = (time.monotonic() - started) * 1000
        log.info("%s %-12s -> %d in %.0f ms", facts.connection_id, "$connect", status, elapsed)

    async def _admit(self, facts: ConnectionFacts, handshake: Handshake, socket: Socket) -> Accepted | Refused:
        if not self._throttles.take("$connect"):
            throttled = refusal(429, "Too Many Requests", "TooManyRequestsException", facts.connection_id)
            socket.refuse(throttled)
            return throttled
        authorizer = None
        if self._authorizer is not None:
            authorized = await self._authorizer.authorize(facts, handshake)
            if isinstance(authorized, Refused):
                socket.refuse(authorized)
                return authorized
            authorizer = authorized
        connection = Connection(
            facts,
            handshake,
            authorizer,
            socket=socket,
            limits=self.limits,
            on_message=self._message,
            on_gone=self._gone,
            spawn=self._spawn,
        )
        outcome = await self._ask_connect(connection)
        if isinstance(outcome, Refused):
            socket.refuse(outcome)
        else:
            self._connections[connection.id] = connection
            connection.limit(self.limits)  # they may have changed since the handshake began
            connection.opened()
            socket.accept(outcome, connection)
        return outcome

    async def _ask_connect(self, connection: Connection) -> Accepted | Refused:
        route = self._routes.get("$connect")
        if route is None:
            return Accepted()
        event = connect_event(connection.facts, connection.handshake, connection.authorizer)
        await self.faults.on_integration("$connect", connection.id)
        try:
            answer = await self._integrations.proxy(route.function, event.payload, timeout=route.timeout_s)
        except IntegrationTimedOut:
            return refusal(504, "Endpoint request timed out", "GatewayTimeoutException", connection.id)
        except IntegrationFailed as failure:
            log.warning("%s %-12s failed: %s", connection.id, "$connect", failure)
            return refusal(502, "Internal server error", "InternalServerErrorException", connection.id)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        # The client gets a subprotocol only if the integration names one:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
        subprotocol = headers.get("sec-websocket-protocol")
        if subprotocol is not None and _TOKEN.fullmatch(subprotocol) is None:
            log.warning("%s %-12s returned no valid subprotocol: %r", connection.id, "$connect", subprotocol)
            return refusal(502, "Internal server error", "InternalServerErrorException", connection.id)
        if 200 <= answer.status < 300:
            return Accepted(subprotocol=subprotocol)
        return Refused(status=answer.status, body=(answer.body or "").encode())

    # Messages

    def _message(self, connection: Connection, text: str) -> None:
        key = self._selection.select(text) or "$default"
        # The predefined routes are not for clients to name.
        route = None if key.startswith("$") else self._routes.get(key)
        route = route or self._routes.get("$default")
        if route is None:
            self._tell(connection, "Forbidden", new_id())
        elif not self._throttles.take(route.route_key):
            self._tell(connection, "Too Many Requests", new_id())
        else:
            # Messages of one socket run concurrently, as on AWS: nothing orders them.
            connection.queue.add(partial(self._route, connection, route, text), size=len(text))

    async def _route(self, connection: Connection, route: RouteSpec, text: str) -> None:
        started = time.monotonic()
        event = message_event(connection.facts, route.route_key, text, connection.authorizer)
        await self.faults.on_integration(route.route_key, connection.id)
        outcome = "ok"
        try:
            answer = await self._integrations.proxy(route.function, event.payload, timeout=route.timeout_s)
            # A proxy integration without a route response answers nothing, whatever its status:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
            if route.response and answer.body is not None and connection.state is State.OPEN:
                connection.post(answer.body.encode())
        except IntegrationTimedOut:
            outcome = "timed out"
            self._tell(connection, "Endpoint request timed out", event.request_id)
        except IntegrationFailed as failure:
            outcome = f"failed: {failure}"
            self._tell(connection, "Internal server error", event.request_id)
        elapsed = (time.monotonic() - started) * 1000
        log.info("%s %-12s %s in %.0f ms (%d bytes)", connection.id, route.route_key, outcome, elapsed, len(text))

    def _tell(self, connection: Connection, message: str, request_id: str) -> None:
        if connection.state is State.OPEN:
            connection.post(error_frame(message, connection.id, request_id))

    # $disconnect

    def _gone(self, connection: Connection, code: int, reason: str) -> None:
        if self._connections.pop(connection.id, None) is None:
            return
        log.info("%s %-12s %d %s", connection.id, "closed", code, reason)
        if "$disconnect" in self._routes and not self.faults.loses_disconnect(connection.id):
            connection.queue.add_last(partial(self._disconnect, connection, code, reason))

    async def _disconnect(self, connection: Connection, code: int, reason: str) -> None:
        event = disconnect_event(connection.facts, connection.handshake, code, reason, connection.authorizer)
        await self.faults.on_integration("$disconnect", connection.id)
        route = self._routes["$disconnect"]
        try:
            await self._integrations.proxy(route.function, event.payload, timeout=route.timeout_s)
        except (IntegrationFailed, IntegrationTimedOut) as failure:
            # There is nobody left to tell; AWS only logs it.
            log.warning("%s %-12s failed: %s", connection.id, "$disconnect", failure)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the emulator itself failed", exc_info=task.exception())
