"""The simulated table for whoever lives in another event loop, so that it is held to the table's contract."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from dayfly.ports.table import Action, RowT, Span
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import Row
from tests.simulation.dice import Dice
from tests.simulation.hazards import Hazards
from tests.simulation.loop import SimLoop
from tests.simulation.ports import Line, SimTable
from tests.simulation.weather import Kind, Weather
from tests.simulation.writers import UnwatchedWorld

T = TypeVar("T")


class PlayedTable:
    """The `Table` port over the simulated one, with no faults; each call is played in virtual time, to its end."""

    def __init__(self) -> None:
        self._loop = SimLoop()
        dice = Dice(0)
        world = UnwatchedWorld(self._loop, dice, Weather(dice), Hazards(dice), lifetime_s=10.0, trace=None)
        self._table = SimTable(Line(world, world.actor(Kind.ENGINE, "")))
        self._one_at_a_time = asyncio.Lock()

    def close(self) -> None:
        """Takes the loop down."""
        self._loop.raze()

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        return await self._played(lambda: self._table.get(key, kind))

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        return await self._played(lambda: self._table.get_many(keys))

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        return await self._played(lambda: self._table.query(span, kind, limit=limit, descending=descending))

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        return await self._played(lambda: self._table.query_live(span, limit=limit))

    async def write(self, *actions: Action, token: str | None = None) -> None:
        await self._played(lambda: self._table.write(*actions, token=token))

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        return await self._played(lambda: self._table.due_leases(shard, before=before, limit=limit))

    async def _played(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._one_at_a_time:
            return await asyncio.to_thread(lambda: self._loop.play(call()))
