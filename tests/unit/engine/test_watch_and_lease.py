"""The audience is watched and the lease renewed beside an agent, whatever it does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Thinking, Turn
from dayfly.store.rows import HistoryRow, LeaseRow, LeaseState, Row
from dayfly.store.table import Put, Span, TableRefused
from tests.fakes.faulty_table import Call, FaultyTable
from tests.fakes.world import World, assert_ended_once


async def slow(turn: Turn) -> AsyncIterator[AgentEvent]:
    yield Thinking("…", 1)
    await asyncio.sleep(60)
    yield Answered("Here.")


async def test_a_look_that_is_refused_does_not_end_the_looking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audience that cannot be read for a while, whatever the reason, is read again: a cancel is still seen."""
    world.agents.scripts["assistant"] = slow
    call = await world.admitted()
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(1)
    read = FaultyTable.query_live

    async def refused(self: FaultyTable, span: Span, *, limit: int) -> tuple[Row, ...]:
        raise TableRefused("a row of a kind that this version does not know")

    monkeypatch.setattr(FaultyTable, "query_live", refused)
    await asyncio.sleep(2)
    monkeypatch.setattr(FaultyTable, "query_live", read)
    await world.ask("cancel", run_id=call.run_id)
    await asyncio.sleep(0.6)
    assert (await engine).outcome == "cancelled"


async def test_a_lease_that_cannot_be_kept_ends_the_attempt_at_once(world: World) -> None:
    """An engine that may not renew its lease stops at the first refusal, and does not wait for the agent's end."""
    world.agents.scripts["assistant"] = slow
    call = await world.admitted()
    loop = asyncio.get_running_loop()
    began = loop.time()

    def plan(one: Call) -> None:
        if len(one.actions) == 1 and isinstance(one.actions[0], Put) and isinstance(one.actions[0].row, LeaseRow):
            raise TableRefused("no permission")

    world.table.plan = plan
    with pytest.raises(TableRefused):
        await world.engine(call)
    assert loop.time() - began < 6


async def test_the_lease_is_kept_while_the_history_is_read(world: World) -> None:
    """A history that takes 30 s to come is no reason for the sweep to end the run."""
    first = await world.admitted()
    await world.engine(first)
    call = await world.admitted("And now?", thread_id=first.thread_id)
    world.table.plan = lambda one: 30.0 if one.method == "query" else None
    engine = asyncio.create_task(world.engine(call))
    await asyncio.sleep(25)
    assert [lease.state for lease in world.leases()] == [LeaseState.HELD]
    assert world.leases()[0].due > world.clock.now_ms()
    assert (await engine).outcome == "completed"
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert len(world.rows(HistoryRow)) == 2


async def test_a_renewal_that_comes_after_the_end_changes_nothing(world: World) -> None:
    """An ended run's lease stays ended: a renewal that was under way finds no match, though the nonce is its own."""
    world.agents.scripts["assistant"] = slow
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(2)
    (held,) = world.leases()
    ended = replace(held, state=LeaseState.ENDED)
    await world.memory.write(Put(ended))
    assert (await engine).outcome is None
    assert world.clock.monotonic() < 5.1
    assert world.leases() == [ended]
    assert world.log_types(call.run_id)[-1] == "agent_thinking"
