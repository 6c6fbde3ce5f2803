"""Each way out of supervision, in virtual time: real keeper, watcher and heartbeats over a table in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dayfly.engine.agent_host import GRACE_S
from dayfly.engine.audience_watcher import LOOK_S, AudienceWatcher
from dayfly.engine.lease_keeper import RENEW_S, LeaseKeeper
from dayfly.engine.periodic_updates import HEARTBEAT_S, PeriodicUpdateManager
from dayfly.engine.supervision import Supervision
from dayfly.engine.time_budget import TimeBudget
from dayfly.engine.verdict import AgentEnded, Cancelled, LeaseLost, OutOfTime, RunTimeUsed, Verdict
from dayfly.errors import AgentFailed
from dayfly.protocol.signals import Phase
from dayfly.runs.begin import Begin, RunFacts
from tests.fakes.faulty_table import Call
from tests.fakes.hosts import InlineHost
from tests.fakes.world import World
from tests.unit.delivery.support import staged, thinking

LIFETIME_S = 60.0


class BrokenPart(RuntimeError):
    """What a part of the engine raises that is made to."""


def idle() -> None:
    """Does nothing."""


def broken() -> Any:
    """Fails."""
    raise BrokenPart("on purpose")


async def silent() -> None:
    """An agent that never says anything."""
    await asyncio.sleep(3600)


@dataclass
class Scene:
    """One attempt under supervision."""

    world: World
    run_id: str
    watcher: AudienceWatcher
    supervision: Supervision
    out_of_time: asyncio.Event
    last_word: asyncio.Event
    tasks_before: set["asyncio.Task[Any]"]

    async def run(self, drive: Callable[[], Coroutine[Any, Any, None]] = silent) -> Verdict:
        async with self.supervision:
            return await self.supervision.run(drive)

    def left(self) -> set["asyncio.Task[Any]"]:
        """Tasks that supervision has begun and that still run."""
        return {task for task in asyncio.all_tasks() - self.tasks_before if not task.done()}


@asynccontextmanager
async def scene(
    world: World,
    *,
    host: InlineHost | None = None,
    run_left_s: float = 3600.0,
    beat: Callable[[], None] = idle,
    phase: Callable[[], Phase] = lambda: Phase.MODEL,
) -> AsyncIterator[Scene]:
    """An attempt that has claimed its lease, with so much of its run's time left."""
    stage = await staged(world)
    run, thread, (lease,) = stage.run, world.thread(stage.call.thread_id), world.leases()
    async with stage.bridge() as bridge:
        facts = RunFacts(run, thread, lease)
        claim = bridge.opens_with(Begin(world.clock, facts))
        await bridge.emit(thinking())
        await bridge.broadcast.refresh(phase=Phase.STARTING, elapsed_ms=0)
        watcher = AudienceWatcher(bridge.broadcast, run_id=run.run_id, phase=phase, elapsed_ms=lambda: 0)
        out_of_time, last_word = asyncio.Event(), asyncio.Event()
        supervision = Supervision(
            host or InlineHost(),
            TimeBudget(world.clock, deadline=world.clock.monotonic() + LIFETIME_S, run_left_s=run_left_s),
            keeper=LeaseKeeper(world.table, world.clock, bridge, facts, claim),
            watcher=watcher,
            updates=lambda: PeriodicUpdateManager().run(
                silent_since=lambda: bridge.last_emitted, now=world.clock.monotonic, beat=beat
            ),
            out_of_time=out_of_time,
            last_word=last_word,
        )
        yield Scene(world, run.run_id, watcher, supervision, out_of_time, last_word, asyncio.all_tasks())


def take_the_lease(world: World) -> None:
    """Makes the lease another engine's."""
    (lease,) = world.leases()
    world.memory._rows[lease.key] = replace(lease, nonce="another")


async def test_an_agent_that_ends_by_itself(world: World) -> None:
    """Its end comes at once, with nothing raised."""

    async def quick() -> None:
        await asyncio.sleep(3)

    async with scene(world) as one:
        assert await one.run(quick) == AgentEnded(None)
        assert world.clock.monotonic() == 3
        assert one.left() == set()


async def test_an_agent_that_raises(world: World) -> None:
    """What it raised is in the verdict, and is not raised."""
    error = AgentFailed("on purpose")

    async def failing() -> None:
        raise error

    async with scene(world) as one:
        assert await one.run(failing) == AgentEnded(error)


async def test_a_cancelled_run(world: World) -> None:
    """The mark is seen within a look; the agent is stopped, and has closed what it had open."""
    closed: list[float] = []

    async def open_stream() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            closed.append(world.clock.monotonic())

    async with scene(world) as one:
        running = asyncio.create_task(one.run(open_stream))
        await asyncio.sleep(7.3)
        await world.ask("cancel", run_id=one.run_id)
        assert await running == Cancelled()
        assert closed == [pytest.approx(7.5)]
        assert closed[0] - 7.3 <= LOOK_S
        assert one.left() == set()


async def test_a_run_that_was_cancelled_before_its_agent_starts(world: World) -> None:
    """It does not start."""
    started: list[str] = []

    async def never() -> None:
        started.append("agent")

    async with scene(world) as one:
        await world.ask("cancel", run_id=one.run_id)
        async with one.supervision:
            await asyncio.sleep(LOOK_S + 0.1)
            assert await one.supervision.run(never) == Cancelled()
    assert started == []


async def test_an_attempt_without_time(world: World) -> None:
    """At its deadline the step is cut."""
    async with scene(world) as one:
        assert await one.run() == OutOfTime(cut=True)
        assert world.clock.monotonic() == LIFETIME_S
        assert one.left() == set()


async def test_an_agent_that_can_not_be_stopped_is_left_to_its_host(world: World) -> None:
    """It is waited for no longer than its grace, and nobody listens to it any more."""

    async def stubborn() -> None:
        until = world.clock.monotonic() + LIFETIME_S + 30
        while (left_s := until - world.clock.monotonic()) > 0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(left_s)

    async with scene(world) as one:
        assert await one.run(stubborn) == OutOfTime(cut=True)
        assert world.clock.monotonic() == LIFETIME_S + GRACE_S
        (agent,) = one.left()
        await agent


async def test_an_attempt_in_which_no_other_step_fits(world: World) -> None:
    """It is over as soon as that is told, and no step is cut."""
    async with scene(world) as one:

        async def waiting() -> None:
            await asyncio.sleep(20)
            one.out_of_time.set()
            await asyncio.sleep(3600)

        assert await one.run(waiting) == OutOfTime(cut=False)
        assert world.clock.monotonic() == 20


async def test_a_run_without_time(world: World) -> None:
    """Where it is the run's time that is used up, no other engine may go on."""
    async with scene(world, run_left_s=10) as one:
        assert await one.run() == RunTimeUsed()
        assert world.clock.monotonic() == 10


async def test_a_lease_that_is_anothers(world: World) -> None:
    """It is seen at the next renewal; the agent is stopped."""
    stopped: list[str] = []

    async def working() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append("agent")

    async with scene(world) as one:
        running = asyncio.create_task(one.run(working))
        await asyncio.sleep(2)
        take_the_lease(world)
        assert await running == LeaseLost()
        assert world.clock.monotonic() == RENEW_S
        assert stopped == ["agent"]
        assert one.left() == set()


async def test_a_lease_that_was_lost_before_its_agent_starts(world: World) -> None:
    """It does not start."""
    started: list[str] = []

    async def never() -> None:
        started.append("agent")

    async with scene(world) as one:
        take_the_lease(world)
        async with one.supervision:
            await asyncio.sleep(RENEW_S + 0.1)
            assert await one.supervision.run(never) == LeaseLost()
    assert started == []


class QuickHost(InlineHost):
    """Its agent has ended, and this event is set, before supervision looks."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def start(self, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.event.set()

    async def wait(self) -> None:
        pass


async def test_a_lost_lease_comes_before_the_agents_end(world: World) -> None:
    """Where both have come, what the agent has said does not count."""
    host = QuickHost()
    async with scene(world, host=host) as one:
        one.supervision._lost = host.event
        assert await one.run() == LeaseLost()


async def test_an_agents_end_comes_before_a_cancel(world: World) -> None:
    """Where both have come, what the agent has said whole is not taken back."""
    host = QuickHost()
    async with scene(world, host=host) as one:
        one.watcher.cancelled = host.event
        assert await one.run() == AgentEnded(None)


async def test_the_lease_is_kept_while_the_agent_is_silent(world: World) -> None:
    """And from the block's beginning, before the agent starts."""
    async with scene(world) as one, one.supervision:
        claimed = world.leases()[0].due
        await asyncio.sleep(RENEW_S + 0.1)
        assert world.leases()[0].due == claimed + 5000


def fail_renewals(world: World) -> None:
    """Makes every write of the table fail in a way that the keeper does not expect."""

    def plan(call: Call) -> None:
        if call.method == "write":
            broken()

    world.table.plan = plan


@pytest.mark.parametrize(
    ("part", "at_s"),
    [("keeper", RENEW_S), ("watcher", LOOK_S), ("updates", HEARTBEAT_S)],
)
async def test_a_failure_beside_the_agent_ends_the_attempt(world: World, part: str, at_s: float) -> None:
    """With the failure itself, as soon as it comes; the agent is stopped, and nothing is left behind."""
    stopped: list[float] = []

    async def working() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append(world.clock.monotonic())

    beat = broken if part == "updates" else idle
    phase = broken if part == "watcher" else lambda: Phase.MODEL
    async with scene(world, beat=beat, phase=phase) as one:
        if part == "keeper":
            fail_renewals(world)
        with pytest.raises(BrokenPart):
            await one.run(working)
        assert stopped == [pytest.approx(at_s, abs=0.6)]
        assert one.left() == set()


async def test_a_failure_before_the_agent_starts_keeps_it_from_starting(world: World) -> None:
    """Nobody watches the run any more."""
    started: list[str] = []

    async def never() -> None:
        started.append("agent")

    async def late(one: Scene) -> None:
        async with one.supervision:
            await asyncio.sleep(LOOK_S + 0.1)
            await one.supervision.run(never)

    async with scene(world, phase=broken) as one:
        with pytest.raises(BrokenPart):
            await late(one)
    assert started == []


async def test_a_failure_of_the_block_comes_before_one_beside_it(world: World) -> None:
    """The block's own error is raised."""

    async def failing(one: Scene) -> None:
        async with one.supervision:
            await asyncio.sleep(LOOK_S + 0.1)
            raise AgentFailed("the block's")

    async with scene(world, phase=broken) as one:
        with pytest.raises(AgentFailed, match="the block's"):
            await failing(one)
        assert one.left() == set()


async def test_a_cancelled_engine_leaves_nothing_behind(world: World) -> None:
    """Where the engine's own task is cancelled, its agent is stopped too."""
    stopped: list[str] = []

    async def working() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append("agent")

    async with scene(world) as one:
        running = asyncio.create_task(one.run(working))
        await asyncio.sleep(1.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert stopped == ["agent"]
        assert one.left() == set()
