"""The emulator whole: the application of a template behind its ports, with state and functions."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from emulator.contract import ApiSpec, Application, FunctionSpec
from emulator.faults.control import Control
from emulator.faults.limits import LimitControl
from emulator.faults.models import EventLost
from emulator.faults.registry import FaultRegistry
from emulator.functions import LambdaOptions, LambdaService, LogSink, print_line
from emulator.gateway.api import WebSocketApi
from emulator.gateway.front import Front
from emulator.gateway.http_server import HttpServer, bind
from emulator.gateway.invoke import InvokeEndpoint
from emulator.issuer import Issuer
from emulator.options import Options
from emulator.page import page_routes
from emulator.processes import Reaper
from emulator.state import State, StateOptions
from emulator.tls import HOST, Tls

_MANAGEMENT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"


class StartFailed(Exception):
    """The application cannot be run; the message is one line for the developer."""


class Emulator:
    """Runs one application: `async with Emulator(...)` is ready inside and leaves no process behind.

    `listener` is the bound main port, which the first API shares with everything else; each further API gets its own
    port, the next ones in turn (or free ones if the main port was chosen freely). Each API is served with TLS too, on a
    port of its own that its `domainName` names. `reaper` must have been started and outlives the emulator. `passed` has
    by function the variables that are for it alone.
    """

    def __init__(
        self,
        options: Options,
        application: Application,
        listener: socket.socket,
        *,
        reaper: Reaper,
        log: LogSink = print_line,
        passed: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.application = application
        self._passed = passed or {}
        self.url = _address(options.host, listener)
        self._options = options
        self._listener = listener
        self._reaper = reaper
        self._log = log
        self._lambda = LambdaOptions(schedule_every_s=options.schedule_every, limits=options.limits.functions)
        lost = (EventLost(function=name, count=count) for name, count in options.lost_events.items() if count)
        self._faults = FaultRegistry((*lost, *options.faults))
        self._stack = AsyncExitStack()
        self._listeners: dict[str, socket.socket] = {}
        self._tls_listeners: dict[str, socket.socket] = {}

    async def __aenter__(self) -> Self:
        async with self._stack:
            await self._start()
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def websocket(self, spec: ApiSpec) -> str:
        """The address of an API's stage."""
        return f"{self._url_of(spec)}/{spec.stage}".replace("http://", "ws://", 1)

    async def _start(self) -> None:
        self._bind()
        tls = await asyncio.to_thread(Tls.make, self._reaper)
        self._stack.callback(tls.remove)
        kept = StateOptions(dynamodb_jar=self._options.dynamodb_jar, data=self._options.data)
        state = State(self.application.state_template, reaper=self._reaper, options=kept, faults=self._faults)
        self._stack.push_async_callback(state.stop)
        await state.start()
        issuer = Issuer(url=self.url, audience=self._options.audience)
        await asyncio.to_thread(issuer.prepare)
        functions = LambdaService(
            [self._with_passed(self._with_endpoint(spec), tls) for spec in self.application.functions],
            reaper=self._reaper,
            schedules=self.application.schedules,
            extra=self._environment(state, tls),
            options=self._lambda,
            log=self._log,
            send=state.send,
            faults=self._faults,
        )
        self._stack.push_async_callback(functions.stop)
        # The gateway first: a function may fetch the issuer's keys while it starts.
        limits = LimitControl(self._options.limits)
        names = [function.name for function in self.application.functions]
        control = Control(self._faults, limits, functions=functions, names=names)
        stages = [self.websocket(spec) for spec in self.application.apis]
        page = [*control.routes(), *issuer.routes(), *page_routes(self._options.page, websockets=stages)]
        listeners = list(dict.fromkeys((self._listener, *self._listeners.values())))
        fronts = [
            await self._serve(listener, tls, functions, page if listener is self._listener else [])
            for listener in listeners
        ]
        limits.serve(*fronts, functions=functions)
        control.serve([api for front in fronts for api in front.apis])
        await functions.start()
        for front in fronts:
            front.ready = True

    def _bind(self) -> None:
        # The stages of one API share its port, as they share its host name on AWS.
        main: int = self._listener.getsockname()[1]
        for index, api_id in enumerate(dict.fromkeys(spec.api_id for spec in self.application.apis)):
            if index == 0:
                self._listeners[api_id] = self._listener
            else:
                port = 0 if self._options.port == 0 else main + index
                self._listeners[api_id] = self._stack.enter_context(bind(self._options.host, port))
            tls_port = self._options.tls_port and self._options.tls_port + index
            self._tls_listeners[api_id] = self._stack.enter_context(bind(HOST, tls_port))

    async def _serve(self, listener: socket.socket, tls: Tls, functions: LambdaService, rest: list[BaseRoute]) -> Front:
        front = Front(limits=self._options.limits.gateway, rest=Starlette(routes=rest), host=self._options.host)
        specs = [spec for spec in self.application.apis if self._listeners[spec.api_id] is listener]
        names = {function.name for function in self.application.functions}
        front.serve([self._api(spec, functions) for spec in specs], InvokeEndpoint(functions, names=names))
        servers = [HttpServer(front, listener)]
        secured = {self._tls_listeners[spec.api_id] for spec in specs}
        servers += [HttpServer(front, each, tls=tls.context) for each in secured]
        for server in servers:
            self._stack.push_async_callback(server.stop)
            await server.start()
        return front

    def _api(self, spec: ApiSpec, functions: LambdaService) -> WebSocketApi:
        try:
            return WebSocketApi(
                spec,
                functions=functions,
                arn=f"arn:aws:execute-api:{self._lambda.region}:{self._lambda.account_id}:{spec.api_id}",
                domain_name=self.domain_name(spec),
                limits=self._options.limits.gateway,
                faults=self._faults,
            )
        except ValueError as error:
            raise StartFailed(f"{spec.logical_id}: {error}") from error

    def _url_of(self, spec: ApiSpec) -> str:
        return _address(self._options.host, self._listeners[spec.api_id])

    def _with_endpoint(self, function: FunctionSpec) -> FunctionSpec:
        """The function with the `@connections` endpoint of the API that routes to it, else of the first API.

        Where its variables name an API's address on AWS, they name the address here.
        """
        apis = self.application.apis
        routed = (spec for spec in apis if any(route.function == function.name for route in spec.routes))
        spec = next(iter((*routed, *apis)), None)
        if spec is None:
            return function
        endpoint = {_MANAGEMENT: f"{self._url_of(spec)}/{spec.stage}"}
        own = {name: self._brought_home(value) for name, value in function.environment.items()}
        return replace(function, environment={**own, **endpoint})

    def _with_passed(self, function: FunctionSpec, tls: Tls) -> FunctionSpec:
        passed = self._passed.get(function.name, {})
        trusted = tls.variables(aws=True) if any(_leads_to_aws(*each) for each in passed.items()) else {}
        return replace(function, passed={**trusted, **passed})

    def _brought_home(self, value: str) -> str:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-set-up-websocket-deployment.html
        for spec in self.application.apis:
            there = f"{spec.api_id}.execute-api.{self._lambda.region}.amazonaws.com"
            value = value.replace(there, self.domain_name(spec))
        return value

    def domain_name(self, spec: ApiSpec) -> str:
        """Host and port with TLS, as `requestContext.domainName` tells functions."""
        return f"{HOST}:{self._tls_listeners[spec.api_id].getsockname()[1]}"

    def _environment(self, state: State, tls: Tls) -> dict[str, str]:
        """The endpoints of the other AWS services, whom to trust, and the command line's own variables.

        The developer's own `~/.aws` is kept out, as it may name roles and endpoints.
        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        alone = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        given = {name: value.replace("{url}", self.url) for name, value in self._options.environment.items()}
        trusted = tls.variables(aws=any(_leads_to_aws(*each) for each in given.items()))
        return {**state.endpoints, **trusted, **alone, "AWS_ENDPOINT_URL_LAMBDA": self.url, **given}


def _leads_to_aws(name: str, value: str) -> bool:
    return name.startswith("AWS_ENDPOINT_URL") and value.startswith("https://")


def _address(host: str, listener: socket.socket) -> str:
    # Functions and pages can't connect to "any address".
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    port: int = listener.getsockname()[1]
    return f"http://{reachable}:{port}"
