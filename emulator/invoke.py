"""`python -m emulator.invoke`: one event through one function, under the runtime client, without a gateway.

What the function posts to a connection or sends to another function is shown and goes no further. The answer goes to
standard output, everything else to standard error; the exit code is 1 if the function failed, 2 if it could not be run.
"""

import asyncio
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from emulator.contract import Application, FunctionSpec, Invocation, LambdaRefusal
from emulator.functions import LambdaService, print_line
from emulator.processes import Reaper
from emulator.state import MotoFailed, State, StateFailed
from emulator.template import TemplateError, load


class NoSuchFunction(Exception):
    """The template has no function of that name."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    options = _parse(arguments)
    try:
        event = sys.stdin.buffer.read() if options.event == "-" else Path(options.event).read_bytes()
        application = load(options.template, parameters=dict(options.parameter_overrides))
        invocation = asyncio.run(_run(application, _find(application, options.function), event, options))
    except (TemplateError, MotoFailed, StateFailed, LambdaRefusal, NoSuchFunction, OSError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 2
    sys.stdout.write(invocation.payload.decode() + "\n")
    return 0 if invocation.function_error is None else 1


async def _run(application: Application, spec: FunctionSpec, event: bytes, options: Namespace) -> Invocation:
    surroundings = _Surroundings()
    address = await surroundings.start()
    with Reaper() as reaper:
        state = State(application.state_template, reaper=reaper)
        try:
            await state.start()
            extra = {
                **state.endpoints,
                "AWS_ENDPOINT_URL_LAMBDA": address,
                "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": address,
                **dict(options.env),
            }
            service = LambdaService([spec], reaper=reaper, extra=extra, log=print_line)
            await service.start()
            try:
                tenant_id = options.tenant_id or "local" if spec.tenant_isolation else None
                return await service.invoke(spec.name, event, tenant_id=tenant_id)
            finally:
                await service.stop()
        finally:
            await state.stop()
            await surroundings.stop()


class _Surroundings:
    """Stands where the gateway's and Lambda's endpoints are, and shows what arrives."""

    def __init__(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{stage:.*}@connections/{connection}", self._post)
        app.router.add_post("/2015-03-31/functions/{function}/invocations", self._invoke)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> str:
        """Listen on a free loopback port; returns the address."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.text()
        sys.stderr.write(f"[{request.method} @connections/{request.match_info['connection']}] {body}\n")
        return web.Response(status=204 if request.method == "DELETE" else 200)

    async def _invoke(self, request: web.Request) -> web.Response:
        body = await request.text()
        sys.stderr.write(f"[Invoke {request.match_info['function']}] {body}\n")
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        headers = {"X-Amzn-RequestId": str(uuid4())}
        if kind == "Event":
            return web.Response(status=202, headers=headers)
        return web.Response(status=200, headers=headers, text="null", content_type="application/json")


def _find(application: Application, name: str) -> FunctionSpec:
    for spec in application.functions:
        if name in {spec.logical_id, spec.name}:
            return spec
    known = ", ".join(spec.logical_id for spec in application.functions)
    raise NoSuchFunction(f"the template has no function {name}, but {known}")


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m emulator.invoke", description="Run one event through one function.")
    parser.add_argument("--template", type=Path, default=Path("template.yaml"), help="the SAM template (%(default)s)")
    parser.add_argument("--function", required=True, help="logical id or name of the function")
    parser.add_argument("--event", required=True, help="file with the event's JSON, - for standard input")
    parser.add_argument("--tenant-id", help="tenant of the invocation, for functions with tenant isolation (local)")
    parser.add_argument("--env", nargs="+", action="extend", type=_pair, default=[], metavar="NAME=VALUE",
                        help="environment variables over the template's")  # fmt: skip
    parser.add_argument("--parameter-overrides", nargs="+", action="extend", type=_pair, default=[],
                        metavar="NAME=VALUE", help="values for the template's parameters")  # fmt: skip
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
