"""Handlers as text, turned into functions of a running service."""

from __future__ import annotations

import asyncio
import json
import os
import textwrap
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from emulator.contract import FunctionSpec, Invocation, ScheduleSpec
from emulator.functions import LambdaOptions, LambdaService, LogLine
from emulator.functions.destinations import Send
from emulator.functions.environment import Environment
from emulator.functions.faults import Faults
from emulator.functions.lifecycle import State
from emulator.processes import Reaper


def function(
    folder: Path,
    source: str,
    *,
    name: str = "fn",
    layers: tuple[Path, ...] = (),
    environment: dict[str, str] | None = None,
    timeout_s: int = 5,
    reserved: int | None = None,
    tenants: bool = False,
    retries: int = 2,
    age_s: int = 60,
    on_failure: str | None = None,
    on_success: str | None = None,
    memory_mb: int = 128,
) -> FunctionSpec:
    """Write `app.py` into a folder of its own and describe it."""
    code = folder / name
    code.mkdir(exist_ok=True)
    (code / "app.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return FunctionSpec(
        logical_id=name.capitalize(),
        name=name,
        handler="app.handler",
        code_dir=code,
        layer_dirs=layers,
        environment=environment or {},
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        reserved_concurrency=reserved,
        tenant_isolation=tenants,
        max_retries=retries,
        max_event_age_s=age_s,
        on_failure=on_failure,
        on_success=on_success,
    )


class Log(list[LogLine]):
    """Collects the lines that a service logs."""

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [line.text for line in self]


class Moves(list[tuple[State | None, State]]):
    """An owner of environments that lets each be and notes its states: the one before and the one after."""

    def moved(self, environment: Environment, before: State | None) -> None:
        """One more."""
        self.append((before, environment.state))


@asynccontextmanager
async def running(
    *functions: FunctionSpec,
    options: LambdaOptions | None = None,
    schedules: Iterable[ScheduleSpec] = (),
    log: Log | None = None,
    send: Send | None = None,
    faults: Faults | None = None,
) -> AsyncIterator[LambdaService]:
    """A started service; stopped at the end whatever happens."""
    with Reaper() as reaper:
        service = LambdaService(
            functions,
            reaper=reaper,
            schedules=schedules,
            options=options,
            log=(Log() if log is None else log).append,
            send=send,
            faults=faults,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


def answer(invocation: Invocation) -> object:
    """The JSON payload of a success."""
    assert invocation.function_error is None, invocation.payload
    return json.loads(invocation.payload)


def error(invocation: Invocation) -> dict[str, str]:
    """The error JSON of a failure."""
    assert invocation.function_error == "Unhandled", invocation.payload
    found = json.loads(invocation.payload)
    assert isinstance(found, dict)
    return found


async def eventually(holds: Callable[[], bool], *, bound_s: float = 10.0) -> None:
    """Wait until `holds()`; fails after `bound_s` seconds."""
    for _ in range(int(bound_s / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected by this machine's init does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z" if status.exists() else True
    except (FileNotFoundError, ProcessLookupError):
        return False
