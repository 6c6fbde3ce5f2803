"""Finding the thread or run that a frame names."""

import pytest

from dayfly.errors import RunNotFound, ThreadNotFound, Unsettled
from dayfly.runs.lookup import live_run, live_thread, run_of
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World


async def test_what_is_the_users_own_is_found(world: World) -> None:
    """The thread by its id, the run by its id alone."""
    call = await world.admitted()
    thread = await live_thread(world.table, user_id="u-alice", thread_id=call.thread_id)
    assert thread == world.thread(call.thread_id)
    for found in (run_of, live_run):
        assert await found(world.table, user_id="u-alice", run_id=call.run_id) == world.run(call.run_id)


async def test_what_is_another_users_is_not_found(world: World) -> None:
    """No more than what is not there at all."""
    call = await world.admitted()
    for user, thread, run in (("u-bob", call.thread_id, call.run_id), ("u-alice", "t-none", "r-none")):
        with pytest.raises(ThreadNotFound):
            await live_thread(world.table, user_id=user, thread_id=thread)
        for find in (run_of, live_run):
            with pytest.raises(RunNotFound):
                await find(world.table, user_id=user, run_id=run)


async def test_a_forgotten_thread_and_its_runs_are_not_live(world: World) -> None:
    """The run itself is still found, by those who end it."""
    call = await world.admitted()
    await world.ask("forget", thread_id=call.thread_id)
    with pytest.raises(ThreadNotFound):
        await live_thread(world.table, user_id="u-alice", thread_id=call.thread_id)
    with pytest.raises(RunNotFound):
        await live_run(world.table, user_id="u-alice", run_id=call.run_id)
    assert await run_of(world.table, user_id="u-alice", run_id=call.run_id) == world.run(call.run_id)


async def test_a_run_whose_row_is_gone_is_not_found(world: World) -> None:
    """Its log may still be there: it is being deleted."""
    call = await world.admitted()
    del world.memory._rows[world.run(call.run_id).key]
    with pytest.raises(RunNotFound):
        await run_of(world.table, user_id="u-alice", run_id=call.run_id)


async def test_what_cannot_be_read_is_not_called_missing(world: World) -> None:
    """A read that is not answered says nothing of what is there."""
    call = await world.admitted()
    for number in range(3):
        world.table.fail_once(number, Fault.REFUSED)
        with pytest.raises(Unsettled):
            await live_run(world.table, user_id="u-alice", run_id=call.run_id)
