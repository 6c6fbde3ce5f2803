"""The emulator whole: the application of a template behind its ports, with state and functions."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import Mount

from emulator.contract import ApiSpec, Application
from emulator.functions import LambdaOptions, LambdaService, LogLine
from emulator.gateway.api import WebSocketApi
from emulator.gateway.faults import NoFaults
from emulator.gateway.front import Front
from emulator.gateway.invoke import InvokeEndpoint
from emulator.gateway.serving import HttpServer, bind
from emulator.guard import Guard
from emulator.issuer import Issuer
from emulator.options import Options
from emulator.page import Page
from emulator.state import State

log = logging.getLogger("emulator")


class StartFailed(Exception):
    """The application cannot be run; the message is one line for the developer."""


class Emulator:
    """Runs one application: `async with Emulator(...)` is ready inside and leaves no process behind.

    `listener` is the bound main port, which the first API shares with everything else; each further API gets its own
    port, the next ones in turn (or free ones if the main port was chosen freely).
    """

    def __init__(self, options: Options, application: Application, listener: socket.socket) -> None:
        self.application = application
        self._options = options
        self._listener = listener
        self._lambda = LambdaOptions(schedule_every_s=options.schedule_every)
        self._stack = AsyncExitStack()
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{_host(options.host)}:{self.port}"
        self.websockets: list[tuple[ApiSpec, str]] = []
        """Each stage of each API with its address."""

    async def __aenter__(self) -> Self:
        async with self._stack:
            await self._start()
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        guard = self._stack.enter_context(Guard())
        state = State(self.application.state_template, guard=guard)
        self._stack.push_async_callback(state.stop)
        await state.start()
        issuer = Issuer(url=self.url, audience=self._options.audience)
        await asyncio.to_thread(issuer.prepare)
        functions = LambdaService(
            self.application.functions,
            guard=guard,
            schedules=self.application.schedules,
            extra=self._environment(state),
            options=self._lambda,
            log=print_function_line,
            send_to_queue=state.send_to_queue,
        )
        self._stack.push_async_callback(functions.stop)
        # The stages of one API share its port, as they share its host name on AWS.
        api_ids: list[str | None] = [*dict.fromkeys(spec.api_id for spec in self.application.apis)] or [None]
        fronts = [await self._serve(index, api_id, functions, issuer) for index, api_id in enumerate(api_ids)]
        await functions.start()
        for front in fronts:
            front.ready = True

    async def _serve(self, index: int, api_id: str | None, functions: LambdaService, issuer: Issuer) -> Front:
        """Open the port of one API; the first one's serves page and issuer too."""
        listener = self._listener if index == 0 else bind(self._options.host, self._port_of(index))
        port: int = listener.getsockname()[1]
        rest = [*issuer.routes(), Mount("/", Page(self._options.page))] if index == 0 else []
        front = Front(port=port, limits=self._options.limits, rest=Starlette(routes=rest))
        names = {function.name for function in self.application.functions}
        apis = [self._api(spec, functions, port) for spec in self.application.apis if spec.api_id == api_id]
        front.serve(apis, InvokeEndpoint(functions, names=names))
        server = HttpServer(front, listener)
        self._stack.push_async_callback(server.stop)
        await server.start()
        return front

    def _api(self, spec: ApiSpec, functions: LambdaService, port: int) -> WebSocketApi:
        domain_name = f"{_host(self._options.host)}:{port}"
        self.websockets.append((spec, f"ws://{domain_name}/{spec.stage}"))
        try:
            return WebSocketApi(
                spec,
                functions=functions,
                arn=f"arn:aws:execute-api:{self._lambda.region}:{self._lambda.account_id}:{spec.api_id}",
                domain_name=domain_name,
                limits=self._options.limits,
                faults=NoFaults(),
            )
        except ValueError as error:
            raise StartFailed(f"{spec.logical_id}: {error}") from error

    def _port_of(self, index: int) -> int:
        return 0 if self._options.port == 0 else self.port + index

    def _environment(self, state: State) -> dict[str, str]:
        """The endpoints of every AWS service the functions may call, and the command line's own variables.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        """
        endpoints = {
            **state.endpoints,
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
        }
        if self.application.apis:
            stage = self.application.apis[0].stage
            endpoints["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] = f"{self.url}/{stage}"
        given = {name: value.replace("{url}", self.url) for name, value in self._options.environment.items()}
        return {**endpoints, **given}


def print_function_line(line: LogLine) -> None:
    """One line of a function or of the platform around it, in the emulator's own log."""
    log.info("%-12s %s", f"[{line.function}]", line.text)


def _host(host: str) -> str:
    # Functions and pages can't connect to "any address".
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
