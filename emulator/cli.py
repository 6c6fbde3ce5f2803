"""The command line: start, say where, run until a signal, end cleanly."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, MutableMapping, Sequence

import uvloop

from emulator.console import Colours, Output, Stage, Started, make_format, wants_colours
from emulator.contract import Application
from emulator.faults.models import FunctionFault
from emulator.functions import LogLine
from emulator.functions.diagnostics import findings
from emulator.gateway.http_server import PortBusy, bind
from emulator.options import Options, parse
from emulator.processes import Reaper
from emulator.server import Emulator, StartFailed
from emulator.state import MotoFailed, StateFailed
from emulator.template import TemplateError, load
from emulator.template.watch import TemplateWatch

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KEPT_OF_AWS = frozenset({"AWS_CA_BUNDLE"})
"""Whom the developer trusts, functions trust too: see `emulator.tls`."""


def main(arguments: Sequence[str]) -> int:
    """Run the emulator; returns the exit code: 0 after a signal, 1 if it could not start (one line says why)."""
    began = time.monotonic()
    for number in _ENDING:
        signal.signal(number, signal.default_int_handler)  # until the event loop takes them over
    options = parse(arguments)
    passed = take(os.environ, options.passed)
    forget_aws(os.environ)
    colours = Colours(wants_colours(sys.stdout, os.environ))
    _log_to(Output(make_format(options.log_format, colours=colours), sys.stdout))
    try:
        # The port first: it is the commonest trouble, and quick to tell.
        with bind(options.host, options.port) as listener, Reaper(exit_with=options.exit_with) as reaper:
            application = load(options.template, parameters=options.parameters)
            _check(options, application)
            names = [function.name for function in application.functions]
            output = Output(make_format(options.log_format, colours=colours, functions=names), sys.stdout)
            _log_to(output)
            emulator = Emulator(options, application, listener, reaper=reaper, log=output.function_line, passed=passed)
            return uvloop.run(_run(emulator, options, output, began))
    except (PortBusy, TemplateError, MotoFailed, StateFailed, StartFailed) as error:
        colours = Colours(wants_colours(sys.stderr, os.environ))
        Output(make_format(options.log_format, colours=colours), sys.stderr).failed(str(error))
        return 1
    except KeyboardInterrupt:
        # Before the event loop runs nothing has been started but the reaper, which ends with its pipe.
        return 130


def forget_aws(environment: MutableMapping[str, str]) -> None:
    """Drop the developer's profile, keys, region and endpoints: all that the emulator asks is on this machine.

    A profile that does not exist here, or that asks for a login, would stop it.
    """
    for name in [each for each in environment if each.startswith("AWS_") and each not in _KEPT_OF_AWS]:
        del environment[name]
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def take(environment: MutableMapping[str, str], passed: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Take the variables that are for single functions out of the environment, so that no other process inherits them.

    Returns them by function; one that the environment does not have is left out.
    """
    taken: dict[str, dict[str, str]] = {}
    for function, name in passed:
        if name in environment:
            taken.setdefault(function, {})[name] = environment[name]
    for names in taken.values():
        for name in names:
            environment.pop(name, None)
    return taken


def _check(options: Options, application: Application) -> None:
    """Refuses options that name what the application does not have. Raises `StartFailed`."""
    there = {function.name for function in application.functions}
    if unknown := sorted(set(options.lost_events) - there):
        raise StartFailed(f"--lose-events: no function {', '.join(unknown)}; there are: {', '.join(sorted(there))}")

    if unknown := sorted({function for function, _ in options.passed} - there):
        raise StartFailed(f"--pass: no function {', '.join(unknown)}; there are: {', '.join(sorted(there))}")

    named = {fault.function for fault in options.faults if isinstance(fault, FunctionFault) and fault.function}
    if unknown := sorted(named - there):
        raise StartFailed(f"--fault: no function {', '.join(unknown)}; there are: {', '.join(sorted(there))}")


def _log_to(output: Output) -> None:
    # What no format shows costs less when nobody looks it up:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger("emulator")
    root.handlers = [output]
    root.setLevel(logging.INFO)


async def _run(emulator: Emulator, options: Options, output: Output, began: float) -> int:
    loop = asyncio.get_running_loop()
    serving = loop.create_task(_serve(emulator, options, output, began))
    for number in _ENDING:
        loop.add_signal_handler(number, _end, serving)
    await asyncio.wait({serving})
    for number in _ENDING:
        # All is cleaned up; an impatient third Ctrl-C shall not turn the exit code into a signal's.
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    if not serving.cancelled():
        serving.result()
    return 0


def _end(serving: asyncio.Task[None]) -> None:
    # Once: a second Ctrl-C would break off the cleaning up, which has its own bounds of time.
    if not serving.cancelling():
        serving.cancel()


async def _serve(emulator: Emulator, options: Options, output: Output, began: float) -> None:
    folders = {folder for each in emulator.application.functions for folder in (each.code_dir, *each.layer_dirs)}
    requirements = [folder / "requirements.txt" for folder in sorted(folders)]
    async with emulator, TemplateWatch(options.template, requirements):
        for function in emulator.application.functions:
            for text in await asyncio.to_thread(findings, function):
                output.function_line(LogLine(function.name, text, source="notice", request_id=None, level="error"))
        stages = tuple(
            Stage(api, emulator.websocket(api), emulator.domain_name(api)) for api in emulator.application.apis
        )
        output.started(Started(emulator.url, stages, emulator.application, time.monotonic() - began))
        # What is here now stays to the end: no collection has to look at it again.
        gc.collect()
        gc.freeze()
        await asyncio.Event().wait()
