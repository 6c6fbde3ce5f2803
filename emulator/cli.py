"""The command line: start, say where, run until a signal, end cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence

import uvloop

from emulator.contract import Application
from emulator.faults.models import FunctionFault
from emulator.gateway.serving import PortBusy, bind
from emulator.options import Options, parse
from emulator.server import Emulator, StartFailed
from emulator.state import MotoFailed, StateFailed
from emulator.template import TemplateError, load


def main(arguments: Sequence[str]) -> int:
    """Run the emulator; returns the exit code: 0 after a signal, 1 if it could not start (one line says why)."""
    options = parse(arguments)
    _log_to_stdout()
    try:
        # The port first: it is the commonest trouble, and quick to tell.
        with bind(options.host, options.port) as listener:
            application = load(options.template, parameters=options.parameters)
            _check(options, application)
            return uvloop.run(_run(options, application, listener))
    except (PortBusy, TemplateError, MotoFailed, StateFailed, StartFailed) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 1
    except KeyboardInterrupt:
        # Before the event loop runs nothing has been started yet.
        return 130


def _check(options: Options, application: Application) -> None:
    """Refuses options that name what the application does not have. Raises `StartFailed`."""
    there = {function.name for function in application.functions}
    if unknown := sorted(set(options.lost_events) - there):
        raise StartFailed(f"--lose-events: no function {', '.join(unknown)}; there are: {', '.join(sorted(there))}")

    named = {fault.function for fault in options.faults if isinstance(fault, FunctionFault) and fault.function}
    if unknown := sorted(named - there):
        raise StartFailed(f"--fault: no function {', '.join(unknown)}; there are: {', '.join(sorted(there))}")


def _log_to_stdout() -> None:
    # A message makes some four log lines; without what no format shows they cost less:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S"))
    root = logging.getLogger("emulator")
    root.addHandler(handler)
    root.setLevel(logging.INFO)


async def _run(options: Options, application: Application, listener: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    serving = loop.create_task(_serve(Emulator(options, application, listener)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, serving.cancel)
    await asyncio.wait({serving})
    if not serving.cancelled():
        serving.result()
    return 0


async def _serve(emulator: Emulator) -> None:
    async with emulator:
        sys.stdout.write(_banner(emulator))
        sys.stdout.flush()
        await asyncio.Event().wait()


def _banner(emulator: Emulator) -> str:
    application = emulator.application
    lines = [f"  page       {emulator.url}/"]
    for api in application.apis:
        lines.append(f"  websocket  {emulator.websocket(api)}")
        for route in api.routes:
            authorizer = f"  (authorizer {route.authorizer})" if route.authorizer else ""
            lines.append(f"    {route.route_key:<12} -> {route.function}{authorizer}")
    lines += [f"  schedule   {schedule.function} every {schedule.every_s:g} s" for schedule in application.schedules]
    lines += [f"  not supported: {line}" for line in application.unsupported]
    return "\n".join(("", *lines, "", ""))
