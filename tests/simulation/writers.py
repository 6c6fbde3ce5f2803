"""Schedules of the log's writer alone, which goes on after it has given an append up.

No engine does that: it fails then, and the run goes on with a fresh writer. Here the writer is held to its own
contract, so that whoever uses it otherwise can rely on it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from dayfly.context.run_ref import RunRef
from dayfly.errors import Superseded, Unsettled
from dayfly.log import writer
from dayfly.log.batch import Emitted
from dayfly.log.writer import RECORD_ALONE, Committed, LogPosition, LogWriter
from dayfly.protocol.events import AgentThinking
from dayfly.store.retry import retry_write
from dayfly.store.rows import LogRow
from dayfly.store.table import Action, Table
from tests.simulation.actors import Actor
from tests.simulation.dice import Dice, loaded, replaced
from tests.simulation.hazards import Hazards
from tests.simulation.loop import SimLoop
from tests.simulation.ports import Line, SimTable
from tests.simulation.weather import Fate, Kind, Port, Weather
from tests.simulation.world import World

APPENDS: Final = 20
FATES: Final = ((0.15, Fate.LATE), (0.05, Fate.LOST), (0.05, Fate.REFUSED), (0.02, Fate.SLOW))
WRITES: Final = (Kind.ENGINE, Port.WRITE)


class UnwatchedWorld(World):
    """A world in which anything may be written."""

    def written(self, actor: Actor, actions: Sequence[Action]) -> None:
        """Takes no notice."""


@dataclass
class Written:
    """What became of a schedule. `adopted`: appends that had been given up, landed late and were gone on behind;
    `superseded`: writers that a rival has put an end to."""

    violations: list[str] = field(default_factory=list)
    adopted: int = 0
    superseded: int = 0


def play_writer(seed: int, *, variant: Callable[[], AbstractContextManager[None]] = nullcontext) -> Written:
    """Plays the schedule of this seed, and checks it."""
    dice = Dice(seed)
    loop = SimLoop()
    patience_s = dice.pick((0.0, 0.0, 0.2))

    async def impatient(table: Table, *actions: Action, token: str | None = None) -> None:
        await retry_write(table, *actions, token=token, patience_s=patience_s)

    with loaded(dice), replaced(writer, "retry_write", impatient), variant():
        weather = Weather(dice, budget=APPENDS, rates={WRITES: list(FATES)}, totals={WRITES: sum(p for p, _ in FATES)})
        world = UnwatchedWorld(loop, dice, weather, Hazards(dice), lifetime_s=10.0, trace=None)
        try:
            return loop.play(_scenario(world))
        finally:
            loop.raze()


async def _scenario(world: World) -> Written:
    written, told, given_up = Written(), list[Committed[None]](), set[int]()
    rival = asyncio.ensure_future(_rival(world, told)) if world.dice.chance(0.3) else None
    writer = _writer(world, first=1)
    for number in range(APPENDS):
        try:
            told.append(await writer.append((_item(number),), RECORD_ALONE))
        except Unsettled:
            given_up.add(number)
        except Superseded:
            written.superseded = 1
            break
        await asyncio.sleep(world.dice.between(0.0, 0.1))
    if rival is not None:
        await rival
    await asyncio.sleep(10.0)  # what is late has landed
    log = sorted((row for row in world.store.held.values() if isinstance(row, LogRow)), key=lambda row: row.first)
    written.violations += _wrong(log, told)
    kept = {row.ordinal for row in log if row.nonce == writer.nonce}
    done = {row.row.ordinal for row in told if row.row.nonce == writer.nonce}
    written.adopted = sum(number in kept and any(later > number for later in done) for number in given_up)
    return written


async def _rival(world: World, told: list[Committed[None]]) -> None:
    """Another writer takes over behind the tail, as an attempt does that was opened by a fence."""
    await asyncio.sleep(world.dice.between(0.1, 2.0))
    for _ in range(5):
        rows = [row for row in world.store.held.values() if isinstance(row, LogRow)]
        try:
            told.append(
                await _writer(world, first=1 + max((row.last for row in rows), default=0)).append(
                    (_item(0),), RECORD_ALONE
                )
            )
        except (Superseded, Unsettled):
            continue
        return


def _wrong(log: Sequence[LogRow], told: Sequence[Committed[None]]) -> list[str]:
    """The log has no gap, and each append that was said to be done stands in it, as it was said."""
    wrong = []
    if [row.first for row in log] != [1, *(row.last + 1 for row in log)][: len(log)]:
        wrong.append(f"the log has {[(row.first, row.last) for row in log]}")
    wrong += [f"{one.row.ordinal} was said to be at seq {one.row.first}" for one in told if one.row not in log]
    if len({one.row.first for one in told}) != len(told):
        wrong.append("two appends were said to be at one seq")
    return wrong


def _writer(world: World, *, first: int) -> LogWriter:
    position = LogPosition(
        ref=RunRef(user_id="u-a", tenant_id="u-a", thread_id="t", run_id="r"),
        agent_name="a",
        invocation_id="i",
        next_seq=first,
    )
    return LogWriter(SimTable(Line(world, world.actor(Kind.ENGINE, "r"))), world, position)


def _item(number: int) -> Emitted:
    return Emitted(AgentThinking(reasoning=str(number), step_number=1), None, "2026-01-01T00:00:00.000Z")
