"""Writing a run's log without its engine: appending, posting, invoking an engine, repeating at the tail."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import IllegalTransition, PortError, Superseded, Unsettled
from dayfly.log.reader import committed_of, tail_of
from dayfly.log.writer import RECORD_ALONE, Committed
from dayfly.runs.writer import PAUSE_S, RETRY_AT_TAIL_S
from dayfly.store.rows import LeaseRow, LeaseState, RunRow
from tests.fakes.agents import silent
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, completed, staged, thinking


async def ended(world: World) -> tuple[Stage, Committed[None]]:
    """A run whose end nobody was sent, with the lease that says so."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(completed())
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, state=LeaseState.ENDED)
    tail = await tail_of(world.memory, user_id="u-alice", run_id=stage.call.run_id)
    assert tail is not None
    return stage, committed_of(tail)


async def test_a_batch_is_shown_to_whoever_watches_now(world: World) -> None:
    """Word for word as it is in the log, to each socket of the thread; and to nobody else."""
    stage, tail = await ended(world)
    await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
    assert await world.run_writer().show(stage.run, tail)
    for connection in ("a1", "a2"):
        assert world.sockets.events(connection)[-1] == world.log(stage.call.run_id)[-1]
    assert set(world.sockets.frames) == {"a1", "a2"}


async def test_an_end_that_was_posted_to_all_needs_no_lease(world: World) -> None:
    """It is dropped; where one socket hangs, it stays, unless this is the last try."""
    stage, tail = await ended(world)
    world.sockets.delays["a1"] = 3600
    await world.run_writer().post_again(stage.run, tail)
    assert len(world.leases()) == 1
    await world.run_writer().post_again(stage.run, tail, give_up=True)
    assert world.leases() == []


@pytest.mark.parametrize("state", [LeaseState.WAITING, LeaseState.HELD, LeaseState.APPROVAL])
async def test_a_lease_of_a_run_that_has_not_ended_is_not_dropped(world: World, state: LeaseState) -> None:
    """Whoever comes too late with its posting takes nothing from those who look after the run."""
    stage = await staged(world)
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, state=state)
    await world.run_writer().drop_lease(stage.run)
    assert [row.state for row in world.leases()] == [state]


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_lease_that_can_not_be_dropped_is_left_to_the_sweep(world: World, fault: Fault) -> None:
    """The end is posted: nobody is told of the trouble."""
    stage, _ = await ended(world)
    world.table.fail_once(0, fault)
    await world.run_writer().drop_lease(stage.run)
    assert len(world.leases()) == (1 if fault is Fault.REFUSED else 0)


async def test_an_audience_that_can_not_be_read_is_told(world: World) -> None:
    """Nothing was shown, and the lease stays; no post is left behind."""
    stage, tail = await ended(world)
    before = len(world.sockets.frames["a1"])
    world.table.plan = lambda call: Fault.REFUSED
    with pytest.raises(Unsettled):
        await world.run_writer().post_again(stage.run, tail)
    await asyncio.sleep(10)
    assert len(world.sockets.frames["a1"]) == before
    assert len(world.leases()) == 1


async def test_each_append_has_a_name_of_its_own(world: World) -> None:
    """Of two writers of one invocation one wins a seq; neither takes the other's for its own."""
    stage = await staged(world)
    appends = (world.run_writer().append(stage.run, thinking(), RECORD_ALONE, next_seq=2) for _ in range(2))
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [type(result) for result in results] in ([Committed, Superseded], [Superseded, Committed[None]])
    assert world.log_types(stage.call.run_id) == ["user_message", "agent_thinking"]


async def test_an_end_that_was_posted_in_vain_is_put_off(world: World) -> None:
    """For half a minute at first, then for as long as it has been, for a quarter of an hour at most; a lease that has
    moved meanwhile is left."""
    stage, tail = await ended(world)
    world.sockets.refuse["a1"] = Unsettled("throttled")
    for passed, expected in ((0, 30), (90, 90), (600, 690), (5000, 900)):
        await asyncio.sleep(passed)
        await world.run_writer().post_again(stage.run, tail)
        (lease,) = world.leases()
        assert (lease.state, lease.due - world.clock.now_ms()) == (LeaseState.ENDED, expected * 1000)


@pytest.mark.parametrize("moved", [{"due": 7}, {"state": LeaseState.HELD}], ids=str)
async def test_a_lease_that_has_moved_is_not_put_off(world: World, moved: dict[str, Any]) -> None:
    """If another writer has changed the lease between its being read and put off, it stays as that one left it."""
    stage, tail = await ended(world)
    world.sockets.refuse["a1"] = Unsettled("throttled")
    (lease,) = world.leases()
    theirs = replace(lease, **moved)

    def move(call: Call) -> None:
        if call.method == "write":
            world.memory._rows[lease.key] = theirs

    world.table.plan = move
    await world.run_writer().post_again(stage.run, tail)
    assert world.leases() == [theirs]


async def test_tasks_run_in_the_background_or_at_once(world: World) -> None:
    """With background tasks the caller does not wait; without them the task is awaited."""
    done: list[str] = []

    async def task() -> None:
        await asyncio.sleep(1)
        done.append("done")

    await world.run_writer().in_background(task)
    assert done == ["done"]
    async with BackgroundTasks() as background:
        await replace(world.run_writer(), background=background).in_background(task)
        assert done == ["done"]
    assert done == ["done", "done"]


async def test_the_call_is_for_the_runs_present_attempt(world: World) -> None:
    """It names the attempt and the seq that the row has now, and nothing of the text."""
    call = await world.admitted("A secret.")
    await world.run_writer().start_engine(replace(world.run(call.run_id), attempt=3, first_seq=17))
    assert world.invoker.calls[-1] == replace(call, attempt=3, first_seq=17)
    assert "secret" not in repr(world.invoker.calls[-1])


@pytest.mark.parametrize("error", [PortError("throttled"), Unsettled("time-out")])
async def test_an_invocation_that_fails_is_left_to_the_sweep(world: World, error: PortError) -> None:
    """What the port raises goes no further: the lease is there already."""
    call = await world.admitted()
    world.invoker.fail_with = error
    await world.run_writer().start_engine(world.run(call.run_id))
    assert world.invoker.calls == [call]


async def test_a_bug_is_not_swallowed(world: World) -> None:
    """Anything else is raised."""
    call = await world.admitted()
    world.invoker.fail_with = IllegalTransition("a bug")
    with pytest.raises(IllegalTransition):
        await world.run_writer().start_engine(world.run(call.run_id))


async def lost(world: World) -> tuple[RunRow, LeaseRow]:
    """A run whose engine has died."""
    call = await world.killed(silent)
    return world.run(call.run_id), world.leases()[0]


class Losing:
    """A write that loses so many times, or always, and takes so many seconds."""

    def __init__(self, times: int | None = None, *, takes_s: float = 0) -> None:
        self.times = times
        self.takes_s = takes_s
        self.tries = 0
        self.last_began = 0.0

    async def __call__(self) -> str:
        self.tries += 1
        self.last_began = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes_s)
        if self.times is None or self.tries <= self.times:
            raise Superseded("the seq is another writer's")
        return "written"


async def test_a_write_is_tried_again_while_the_lease_stands(world: World) -> None:
    """What it returns in the end is returned."""
    run, lease = await lost(world)
    write = Losing(times=3)
    assert await world.run_writer().retry_at_tail(run, lease, write) == "written"
    assert write.tries == 4


async def test_it_is_given_up_after_two_seconds_of_pauses(world: World) -> None:
    """Somebody lives then: the last try begins at that moment. Between two tries there is a pause, so that the table is
    not asked without end."""
    run, lease = await lost(world)
    write, until = Losing(takes_s=PAUSE_S * 0.5), world.clock.monotonic() + RETRY_AT_TAIL_S
    with pytest.raises(Superseded):
        await world.run_writer().retry_at_tail(run, lease, write)
    assert write.last_began == pytest.approx(until, abs=1e-9)
    assert write.tries <= RETRY_AT_TAIL_S / PAUSE_S + 2


async def test_a_lease_that_moved_ends_it_at_once(world: World) -> None:
    """Whoever moved it looks after the run."""
    run, lease = await lost(world)
    write = Losing()
    with pytest.raises(Superseded):
        await world.run_writer().retry_at_tail(run, replace(lease, due=lease.due - 1), write)
    assert write.tries == 1


async def test_what_else_goes_wrong_is_raised(world: World) -> None:
    """Only another writer's seq is a reason to look again."""
    run, lease = await lost(world)

    async def unreachable() -> None:
        raise Unsettled("throttled")

    with pytest.raises(Unsettled):
        await world.run_writer().retry_at_tail(run, lease, unreachable)
