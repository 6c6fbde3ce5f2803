"""How long does `ExecutionEngineFactory.create` take, and closing an engine?"""

import asyncio
import importlib
import time

from bench.report import Section
from bench.summary import Summary, summary
from dayfly.agents.catalogue import Catalogue, discover
from dayfly.agents.models.factory import Models
from dayfly.clock import SystemClock
from dayfly.context.execution import UserExecutionContext
from dayfly.context.run_ref import RunRef
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.runs.ports import Ports
from dayfly.store.memory import MemoryTable
from tests.fakes.ports import MemoryInvoker, MemoryMeter, MemoryPoster

ENGINES = 5000
_US = 1_000_000


async def creation() -> list[Section]:
    """Creates and closes engines, each for another user, with the installed agents and the ports in memory. Between
    them an empty task is started and awaited, the least that anything concurrent costs here."""
    factory = ExecutionEngineFactory()
    factory.configure(
        ports=Ports(
            table=MemoryTable(),
            poster=MemoryPoster(),
            invoker=MemoryInvoker(),
            clock=SystemClock(),
            meter=MemoryMeter(),
        ),
        agents=Catalogue(discover(importlib.import_module("functions.engine.agents")), models=Models(), model="demo"),
    )
    created: list[float] = []
    closed: list[float] = []
    floor: list[float] = []
    for number in range(ENGINES):
        context = _context(number)
        began = time.perf_counter()
        engine = factory.create(context)
        made = time.perf_counter()
        await engine.close()
        over = time.perf_counter()
        await asyncio.create_task(_nothing())
        floor.append((time.perf_counter() - over) * _US)
        created.append((made - began) * _US)
        closed.append((over - made) * _US)
    base = summary(floor)
    rows = (_row("create", summary(created), base), _row("close (never run)", summary(closed), base))
    return [
        Section(
            key="engine_creation",
            title="Engine creation, µs",
            columns=("what", "n", "p50", "p99", "max", "floor p50", "ratio"),
            rows=rows,
            notes=("floor: start and await one empty asyncio task, between the engines",),
        )
    ]


def _row(what: str, taken: Summary, base: Summary) -> tuple[str, int, float, float, float, float, float]:
    return what, taken.n, taken.p50, taken.p99, taken.worst, base.p50, taken.p50 / base.p50


async def _nothing() -> None:
    return


def _context(number: int) -> UserExecutionContext:
    return UserExecutionContext(
        ref=RunRef(
            user_id=f"u-bench{number}", tenant_id=f"u-bench{number}", thread_id=f"t-{number}", run_id=f"r-{number}"
        ),
        request_id=f"q-{number}",
        invocation_id=f"i-{number}",
        agent_name="assistant",
        attempt=1,
        first_seq=2,
        deadline=time.monotonic() + 60,
    )
