"""Deleting a forgotten thread: when a sweep leaves it to the next one, and until when."""

import asyncio
from dataclasses import replace

import pytest

from dayfly.recovery import deletion as deletion_module
from dayfly.recovery.deletion import go_on_deleting
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import ForgetRow, LogRow, RunRow, ThreadRow
from dayfly.store.table import Delete
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call
from tests.fakes.world import World

MINUTE_MS = 60_000


def only(world: World) -> ForgetRow:
    (deletion,) = world.rows(ForgetRow)
    return deletion


async def forgotten(world: World) -> EngineCall:
    """A thread with two ended runs that was forgotten long enough ago."""
    call = await world.admitted()
    await world.engine(call)
    await world.ask("run", text="And this?", thread_id=call.thread_id)
    await world.engine(world.invoker.calls[-1])
    await world.ask("forget", thread_id=call.thread_id)
    await asyncio.sleep(18 * 60)
    return call


@pytest.mark.parametrize("more", [0, 1])
async def test_a_sweep_stops_at_the_row_that_is_its_last(
    world: World, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    """Where as many rows are gone as one sweep takes, the thread itself is left to the next, a minute later; where one
    more might go, all go. No row is deleted twice."""
    await forgotten(world)
    runs = world.rows(RunRow)
    # Each run's lease counts, though it has gone with the run's end.
    theirs = [row for row in world.memory.rows.values() if getattr(row, "thread_id", None) or isinstance(row, LogRow)]
    kept = (ThreadRow, ForgetRow)
    rows = len(runs) + sum(not isinstance(row, kept) and row.key.sk.split("#")[0] != "REQ" for row in theirs)
    monkeypatch.setattr(deletion_module, "MOST_ROWS", rows + more)
    deleted: list[str] = []

    def note(call: Call) -> None:
        deleted.extend(action.key.sk for action in call.actions if isinstance(action, Delete))

    world.table.plan = note
    await go_on_deleting(world.recovery_actions(), only(world))
    assert len(deleted) == len(set(deleted)) == rows + 2 * more
    assert (world.rows(RunRow), world.rows(LogRow)) == ([], [])
    assert len(world.rows(ThreadRow)) == 1 - more
    assert [row.due - world.clock.now_ms() for row in world.rows(ForgetRow)] == [MINUTE_MS] * (1 - more)


async def test_a_thread_with_an_active_run_is_looked_at_again(world: World) -> None:
    """However long ago it was forgotten: while a run is active that an engine holds, nothing is deleted."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(1)
    await world.crash(engine)
    await world.ask("forget", thread_id=call.thread_id)
    await asyncio.sleep(18 * 60)
    before = {key: row for key, row in world.memory.rows.items() if not isinstance(row, ForgetRow)}
    await go_on_deleting(world.recovery_actions(), only(world))
    assert {key: row for key, row in world.memory.rows.items() if not isinstance(row, ForgetRow)} == before
    assert only(world).due == world.clock.now_ms() + MINUTE_MS


async def test_whoever_has_an_old_row_changes_nothing(world: World) -> None:
    """Where another sweep has put the deletion off meanwhile, it stays as that one said."""
    call = await world.admitted()
    await world.engine(call)
    await world.ask("forget", thread_id=call.thread_id)
    old = only(world)
    put_off = replace(old, due=old.due + 7)
    world.memory._rows[old.key] = put_off
    await go_on_deleting(world.recovery_actions(), old)
    assert only(world) == put_off
