"""An engine whose process is frozen past its lease, and thaws when another has taken over."""

import asyncio
from collections.abc import Callable

import pytest

from dayfly.engine.engine import RunReport
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import LogRow
from tests.fakes.agents import Programme, Round
from tests.fakes.faulty_table import Call, rows_of
from tests.fakes.freezing_table import FreezingTable
from tests.fakes.world import World, assert_ended_once, assert_history

ROUNDS = (Round("One. ", calls=("c-1",)), Round("Done."))


def logs(kind: str) -> Callable[[Call], bool]:
    """Writes to the log that end with an event of this type."""
    return lambda call: any(f'"type":"{kind}"' in row.events[-1] for row in rows_of(call, LogRow))


class Frozen:
    """A run whose engine was frozen right behind a write, so that it does not know yet that this was done."""

    def __init__(self, world: World, *, freeze_when: Callable[[Call], bool], idempotent: bool = True) -> None:
        self.world = world
        self.table = FreezingTable(world.memory, freeze_when)
        self.programme = Programme(*ROUNDS, idempotent=idempotent)
        world.agents.scripts["assistant"] = self.programme

    async def begin(self) -> EngineCall:
        self.call = await self.world.admitted()
        factory = self.world.factory(self.table)
        self.engine = asyncio.create_task(self.world.engine(self.call, factory=factory))
        await asyncio.wait_for(self.table.frozen.wait(), 10)
        return self.call

    async def thaw(self) -> RunReport:
        self.table.thaw()
        return await self.engine

    def logged(self) -> list[LogRow]:
        return [row for row in self.world.rows(LogRow) if row.run_id == self.call.run_id]


async def test_a_frozen_engine_starts_no_tool_that_it_has_announced(world: World) -> None:
    """Its `tool_executing` is in the log; another engine carries the call out meanwhile; thawed, it does nothing."""
    scene = Frozen(world, freeze_when=logs("tool_executing"))
    call = await scene.begin()
    await asyncio.sleep(25)
    await world.sweep()
    await world.engine(world.invoker.calls[-1], invocation="i-2")
    assert scene.programme.ran == ["c-1"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    before = scene.logged(), world.leases()
    assert (await scene.thaw()).outcome is None
    assert scene.programme.ran == ["c-1"]
    assert (scene.logged(), world.leases()) == before


async def test_what_may_not_run_twice_is_not_run_by_the_frozen_engine_either(world: World) -> None:
    """The run has ended with `tool_outcome_unknown`; the frozen engine had not begun the tool, and does not."""
    scene = Frozen(world, freeze_when=logs("tool_executing"), idempotent=False)
    call = await scene.begin()
    await asyncio.sleep(25)
    await world.sweep()
    await world.engine(world.invoker.calls[-1], invocation="i-2")
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert world.log(call.run_id)[-1]["payload"]["code"] == "tool_outcome_unknown"
    assert (await scene.thaw()).outcome is None
    assert scene.programme.ran == []


async def test_a_frozen_engine_asks_no_model(world: World) -> None:
    """Nothing of it follows the fence, though the next engine has not even begun."""
    scene = Frozen(world, freeze_when=logs("agent_thinking"))
    call = await scene.begin()
    await asyncio.sleep(25)
    await world.sweep()
    before = scene.logged()
    assert before[-1].events[-1].startswith('{"type":"agent_resumed"')
    assert (await scene.thaw()).outcome is None
    assert scene.logged() == before
    assert scene.programme.ran == []
    await world.recover()
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_short_freeze_changes_nothing(world: World) -> None:
    """Thawed before its lease is due, an engine goes on."""
    scene = Frozen(world, freeze_when=logs("tool_executing"))
    call = await scene.begin()
    await asyncio.sleep(19)
    await world.sweep()
    assert (await scene.thaw()).outcome == "completed"
    assert scene.programme.ran == ["c-1"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert len(world.invoker.calls) == 1


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_long_freeze_that_nobody_noticed(world: World, *, idempotent: bool) -> None:
    """Where no sweep came, the lease is still the engine's: it renews it before the tool, and goes on, with no other
    engine asked for."""
    scene = Frozen(world, freeze_when=logs("tool_executing"), idempotent=idempotent)
    call = await scene.begin()
    await asyncio.sleep(25)
    assert (await scene.thaw()).outcome == "completed"
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert scene.programme.ran == ["c-1"]
    assert len(world.invoker.calls) == 1


async def test_frozen_behind_any_write(world: World) -> None:
    """Behind whichever write an engine is frozen for 25 s, with a sweep and another engine meanwhile: the run ends
    once, completed, the tool ran once, and the thawed engine adds nothing."""
    number = 1
    while True:
        world = World()
        seen: list[Call] = []

        def freeze_when(call: Call, seen: list[Call] = seen, number: int = number) -> bool:
            seen.append(call)
            return len(seen) == number

        scene = Frozen(world, freeze_when=freeze_when)
        try:
            call = await scene.begin()
        except TimeoutError:
            assert (await scene.engine).outcome == "completed"
            break
        await asyncio.sleep(25)
        await world.sweep()
        await world.recover()
        assert assert_ended_once(world, call.run_id) == "agent_completed", number
        before = scene.logged()
        await scene.thaw()
        assert scene.logged() == before
        assert scene.programme.ran == ["c-1"]
        assert world.leases() == []
        await assert_history(world, call.thread_id)
        number += 1
    assert number >= 7
