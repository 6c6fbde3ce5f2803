"""A gateway on a free port whose functions are Python callables, and what a test needs to talk to it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from emulator.contract import ApiSpec, FunctionNotFound, Invocation, LambdaRefusal, RouteSpec, Throttling
from emulator.gateway.api import WebSocketApi
from emulator.gateway.faults import Faults, NoFaults
from emulator.gateway.front import Front
from emulator.gateway.http_server import HttpServer, bind
from emulator.gateway.invoke import InvokeEndpoint
from emulator.gateway.limits import Limits
from emulator.issuer import Issuer
from emulator.page import Page

Event = dict[str, Any]
Handler = Callable[[Event], Awaitable[object]]

ACCOUNT = "123456789012"
REGION = "us-east-1"


class FunctionError(Exception):
    """Raised by a handler: the function ends with this error message."""


@dataclass
class PythonFunctions:
    """Lambda whose functions are coroutines; keeps every event they got."""

    handlers: Mapping[str, Handler]
    events: list[tuple[str, Event]] = field(default_factory=list)
    tenants: list[str | None] = field(default_factory=list)
    refusal: LambdaRefusal | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def invoke(
        self,
        function: str,
        payload: bytes,
        *,
        tenant_id: str | None = None,
        client_context: str | None = None,
        tail: bool = False,
    ) -> Invocation:
        """Run the coroutine of this name."""
        if self.refusal is not None:
            raise self.refusal
        if function not in self.handlers:
            raise FunctionNotFound(function)
        event = json.loads(payload)
        self.events.append((function, event))
        self._came.set()
        self.tenants.append(tenant_id)
        request_id = str(uuid.uuid4())
        try:
            answer = await self.handlers[function](event)
        except FunctionError as error:
            body = json.dumps({"errorMessage": str(error), "errorType": "Exception"}).encode()
            return Invocation(payload=body, function_error="Unhandled", request_id=request_id)
        return Invocation(payload=json.dumps(answer).encode(), function_error=None, request_id=request_id)

    async def invoke_event(self, function: str, payload: bytes, *, tenant_id: str | None = None) -> str:
        """Run it now; nobody waits for the answer."""
        return (await self.invoke(function, payload, tenant_id=tenant_id)).request_id

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    def of(self, function: str) -> list[Event]:
        """The events this function got."""
        return [event for name, event in self.events if name == function]

    async def wait_for(self, function: str, count: int = 1) -> list[Event]:
        """Wait until the function got so many events."""
        async with asyncio.timeout(5):
            while len(self.of(function)) < count:
                self._came.clear()
                await self._came.wait()
        return self.of(function)


async def ok(event: Event) -> object:
    """A handler that agrees to everything."""
    return {"statusCode": 200}


def allow(event: Event, effect: str = "Allow", **context: object) -> object:
    """An authorizer's answer."""
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "someone", "policyDocument": policy, "context": context}


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    port: int
    functions: PythonFunctions
    issuer: Issuer
    front: Front

    @property
    def url(self) -> str:
        """The HTTP address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """The WebSocket's address."""
        return f"ws://127.0.0.1:{self.port}/live"

    def client(self, service: str = "apigatewaymanagementapi", **config: Any) -> Any:
        """A real boto3 client of this gateway, one attempt a call."""
        suffix = "/live" if service == "apigatewaymanagementapi" else ""
        client: BaseClient = boto3.client(  # type: ignore[call-overload]  # the service's name is not a literal here
            service,
            endpoint_url=self.url + suffix,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20, **config),
        )
        return client


@asynccontextmanager
async def running(
    *,
    routes: Mapping[str, str] | None = None,
    handlers: Mapping[str, Handler] | None = None,
    authorizer: str | None = None,
    identity_sources: tuple[str, ...] = (),
    limits: Limits | None = None,
    faults: Faults | None = None,
    page: Path = Path("no-such-folder"),
    ready: bool = True,
    extra: Sequence[BaseRoute] = (),
    responses: Collection[str] = (),
    stage_variables: Mapping[str, str] | None = None,
    throttling: Throttling | None = None,
    patience: float = 30.0,
) -> AsyncIterator[Gateway]:
    """Serve one API with stage `live`; a function that has no handler answers `statusCode` 200."""
    routes = {"$connect": "connect", "$disconnect": "disconnect"} if routes is None else routes
    names = {*routes.values(), *(handlers or {}), *({authorizer} if authorizer else ())}
    functions = PythonFunctions(dict.fromkeys(names, ok) | dict(handlers or {}))
    specs = tuple(
        RouteSpec(key, name, authorizer if key == "$connect" else None, response=key in responses)
        for key, name in routes.items()
    )
    spec = ApiSpec(
        logical_id="Api",
        stage="live",
        route_selection="$request.body.action",
        routes=specs,
        identity_sources=identity_sources,
        api_id="abcdef1234",
        stage_variables=stage_variables or {},
        throttling=throttling or Throttling(),
    )
    limits = limits or Limits()
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    issuer = Issuer(url=f"http://127.0.0.1:{port}", audience="tests")
    api = WebSocketApi(
        spec,
        functions=functions,
        arn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{spec.api_id}",
        domain_name=f"127.0.0.1:{port}",
        limits=limits,
        faults=faults or NoFaults(),
    )
    front = Front(limits=limits, rest=Starlette(routes=[*extra, *issuer.routes(), Mount("/", Page(page))]))
    front.serve([api], InvokeEndpoint(functions, names=names))
    server = HttpServer(front, listener, patience=patience)
    await server.start()
    front.ready = ready
    try:
        yield Gateway(port, functions, issuer, front)
    finally:
        await server.stop()
