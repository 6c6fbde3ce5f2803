"""`/_emulator/faults` and `/_emulator/limits`: the control endpoint, for programs on this machine only."""

from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_address
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.faults.limits import LimitControl, parse_change
from emulator.faults.models import (
    Action,
    BadFault,
    CloseSockets,
    ConnectionFault,
    FunctionFault,
    KillEnvironments,
    StandingFault,
    parse_fault,
)
from emulator.faults.registry import Entry, FaultRegistry
from emulator.gateway.api import WebSocketApi
from emulator.gateway.connection import Connection

_FAULTS = "/_emulator/faults"
_LIMITS = "/_emulator/limits"
_BODY_BYTES = 64 * 1024


class Killer(Protocol):
    """Lambda, as far as killing goes."""

    async def kill(self, function: str) -> int:
        """SIGKILL every environment of a function; returns how many."""
        ...


class Control:
    """Answers the control endpoint. `names` are the functions that exist."""

    def __init__(
        self, registry: FaultRegistry, limits: LimitControl, *, functions: Killer, names: Collection[str]
    ) -> None:
        self._registry = registry
        self._limits = limits
        self._functions = functions
        self._names = names
        self._apis: Sequence[WebSocketApi] = ()

    def serve(self, apis: Sequence[WebSocketApi]) -> None:
        """Act on these from now on."""
        self._apis = apis

    def routes(self) -> list[Route]:
        """The two paths, and below the first one a number for each fault."""
        return [
            Route(_FAULTS, self._on_faults, methods=["GET", "POST", "DELETE"]),
            Route(_FAULTS + "/{number}", self._on_fault, methods=["DELETE"]),
            Route(_LIMITS, self._on_limits, methods=["GET", "POST", "DELETE"]),
        ]

    async def _on_faults(self, request: Request) -> Response:
        if not _is_near(request):
            return _error(403, "only this machine may ask")
        if request.method == "DELETE":
            return JSONResponse({"cleared": self._registry.clear()})
        if request.method == "POST":
            try:
                return await self._begin(parse_fault(await _json_body(request)))
            except BadFault as error:
                return _error(400, str(error))
        return JSONResponse(
            {
                "faults": [self._described(entry) for entry in self._registry.standing()],
                "connections": [_facts(connection) for connection in self._connections()],
                "functions": sorted(self._names),
            }
        )

    async def _on_fault(self, request: Request) -> Response:
        if not _is_near(request):
            return _error(403, "only this machine may ask")
        try:
            number = int(request.path_params["number"])
        except ValueError:
            return _error(400, f"{request.path_params['number']!r:.40} is no number of a fault")
        if not self._registry.clear(number):
            return _error(404, f"no fault {number} stands")
        return JSONResponse({"cleared": 1})

    async def _on_limits(self, request: Request) -> Response:
        if not _is_near(request):
            return _error(403, "only this machine may ask")
        if request.method == "DELETE":
            self._limits.clear()
        elif request.method == "POST":
            try:
                self._limits.change(parse_change(await _json_body(request)))
            except BadFault as error:
                return _error(400, str(error))
        present, configured = self._limits.present.figures(), self._limits.configured.figures()
        return JSONResponse({"limits": present, "configured": configured})

    async def _begin(self, fault: StandingFault | Action) -> Response:
        match fault:
            case CloseSockets():
                return JSONResponse({"closed": self._close(fault)})
            case KillEnvironments():
                self._check_function(fault.function)
                names = self._names if fault.function is None else [fault.function]
                return JSONResponse({"killed": sum([await self._functions.kill(name) for name in names])})
            case _:
                if isinstance(fault, FunctionFault):
                    self._check_function(fault.function)
                elif isinstance(fault, ConnectionFault):
                    self._check_connection(fault)
                return JSONResponse(self._described(self._registry.add(fault)), status_code=201)

    def _close(self, fault: CloseSockets) -> int:
        self._check_connection(fault)
        closed = [each for each in self._connections() if fault.connection in (None, each.id)]
        for connection in closed:
            connection.close(fault.code, fault.reason)
        return len(closed)

    def _check_function(self, name: str | None) -> None:
        if name is not None and name not in self._names:
            raise BadFault(f"no function {name}; there are: {', '.join(sorted(self._names))}")

    def _check_connection(self, fault: ConnectionFault | CloseSockets) -> None:
        if fault.connection is not None and all(each.id != fault.connection for each in self._connections()):
            raise BadFault(f"no connection {fault.connection} is open")

    def _connections(self) -> Iterator[Connection]:
        everywhere = [connection for api in self._apis for connection in api.connections()]
        return iter(sorted(everywhere, key=lambda connection: connection.facts.connected_at))

    def _described(self, entry: Entry) -> dict[str, object]:
        return {
            "id": entry.number,
            "fault": entry.fault.model_dump(exclude_none=True),
            "left": entry.left,
            "remaining_s": self._registry.remaining_s(entry),
        }


def _facts(connection: Connection) -> dict[str, object]:
    facts = connection.facts
    return {"id": facts.connection_id, "stage": facts.stage, "connected_at": facts.connected_at}


def _is_near(request: Request) -> bool:
    """Whether the client is on this machine; the emulator itself may have been told to listen to others."""
    if request.client is None:
        return False
    address = ip_address(request.client.host)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


async def _json_body(request: Request) -> bytes:
    # A page of any origin may post plain text to this machine, but JSON only after a preflight, which is not answered:
    # https://fetch.spec.whatwg.org/#cors-preflight-fetch
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadFault("the body must be sent as application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            raise BadFault(f"the body is over {_BODY_BYTES} bytes")
    return body


def _error(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)
