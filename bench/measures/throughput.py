"""How many events a second go through bridge and log, with the ports in memory?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bench.report import Section
from bench.summary import median
from dayfly.clock import SystemClock
from dayfly.context.run_ref import RunRef
from dayfly.delivery.bridge import DELTA_PAUSE_S, WebSocketBridge
from dayfly.delivery.broadcast import Broadcast
from dayfly.log.writer import LogPosition, LogWriter
from dayfly.protocol.events import AgentThinking
from dayfly.protocol.signals import Phase
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import AttachedRow, LogRow
from dayfly.store.table import Absent, Put
from tests.fakes.ports import MemoryPoster

EVENTS = 2000
DELTAS = 30_000
ROUNDS = 5
SOCKET = "bench"
_WORD = "lighthouse "

Work = Callable[[WebSocketBridge], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Pass:
    seconds: float
    given: int
    frames: int
    batches: int


async def throughput() -> list[Section]:
    """Passes of each kind, in turn with the floor: without bridge and log writer, one row written and one frame posted
    for each thing given, one after the other. Merging and group commit can beat it."""
    kinds: dict[str, tuple[Work, int]] = {
        "lifecycle events, one after the other": (_one_by_one, EVENTS),
        "lifecycle events, all at once": (_at_once, EVENTS),
        f"deltas of {len(_WORD)} characters": (_deltas, DELTAS),
    }
    rows = []
    for what, (work, given) in kinds.items():
        passes: list[_Pass] = []
        floors: list[float] = []
        for _ in range(ROUNDS):
            taken, table, poster = await _through(work, given)
            passes.append(taken)
            floors.append(await _floor(given, table, poster))
        middle = sorted(passes, key=lambda one: one.seconds)[ROUNDS // 2]
        rows.append(
            (
                what,
                ROUNDS,
                middle.given / middle.seconds,
                middle.frames / middle.seconds,
                middle.given,
                middle.frames,
                middle.batches,
                middle.seconds / median(floors),
            )
        )
    return [
        Section(
            key="throughput",
            title="Bridge and log on ports in memory, one socket attached",
            columns=("what", "rounds", "in/s", "out/s", "in", "events out", "batches", "time ratio to floor"),
            rows=tuple(rows),
            notes=(
                "floor: one row put and one frame posted for each thing given, through the same ports and nothing else",
                f"deltas merge: text alone is committed each {DELTA_PAUSE_S * 1000:.0f} ms, or when 48 KB wait",
            ),
        )
    ]


async def _through(work: Work, given: int) -> tuple[_Pass, MemoryTable, MemoryPoster]:
    table, poster = MemoryTable(), MemoryPoster()
    row = AttachedRow(user_id="u-bench", thread_id="t-bench", connection_id=SOCKET, attached=0, expires=2**31)
    await table.write(Put(row))
    position = LogPosition(
        ref=RunRef(user_id="u-bench", tenant_id="u-bench", thread_id="t-bench", run_id="r-bench"),
        agent_name="assistant",
        invocation_id="i-bench",
        next_seq=2,
    )
    delivery = Broadcast(table, poster, position.ref)
    clock = SystemClock()
    async with WebSocketBridge(LogWriter(table, clock, position), delivery, clock) as bridge:
        await delivery.refresh(phase=Phase.STARTING, elapsed_ms=0)
        began = time.perf_counter()
        await work(bridge)
        await delivery.drain()
        seconds = time.perf_counter() - began
        await delivery.close()
    batches = sum(isinstance(one, LogRow) for one in table.rows.values())
    return _Pass(seconds, given, len(poster.frames[SOCKET]), batches), table, poster


async def _floor(given: int, table: MemoryTable, poster: MemoryPoster) -> float:
    """Seconds for as many rows and frames as things were given. Each is a copy of the smallest that the pass made."""
    row = min((one for one in table.rows.values() if isinstance(one, LogRow)), key=lambda one: len(one.events))
    frame = min(poster.frames[SOCKET], key=len)
    rows = [replace(row, first=number, last=number) for number in range(given)]
    empty, post = MemoryTable(), MemoryPoster()
    began = time.perf_counter()
    for one in rows:
        await empty.write(Put(one, Absent()))
        await post.post(SOCKET, frame)
    return time.perf_counter() - began


async def _one_by_one(bridge: WebSocketBridge) -> None:
    for step in range(EVENTS):
        await bridge.emit(_thinking(step))


async def _at_once(bridge: WebSocketBridge) -> None:
    await asyncio.gather(*(bridge.emit(_thinking(step)) for step in range(EVENTS)))


async def _deltas(bridge: WebSocketBridge) -> None:
    for _ in range(DELTAS):
        await bridge.say(_WORD)
    await bridge.emit(_thinking(0))


def _thinking(step: int) -> AgentThinking:
    return AgentThinking(reasoning="Looking at the question.", step_number=step + 1)
