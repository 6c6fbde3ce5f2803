"""Keeping a run's lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.lease_keeper import HOLD_S, RENEW_S, LeaseKeeper
from dayfly.errors import Superseded, Unsettled
from dayfly.runs.begin import Begin, RunFacts
from dayfly.store.rows import LeaseRow, LeaseState
from dayfly.store.table import TableRefused
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World
from tests.unit.delivery.support import staged, thinking


@dataclass
class Kept:
    """A keeper at work, and what it has told."""

    keeper: LeaseKeeper
    bridge: WebSocketBridge
    lost: asyncio.Event
    task: asyncio.Task[None]


@asynccontextmanager
async def kept(world: World, *, begin: bool = True) -> AsyncIterator[Kept]:
    """A keeper beside a bridge that has claimed the run's lease at 0 s, if it is to."""
    stage = await staged(world)
    run, thread, (lease,) = stage.run, world.thread(stage.call.thread_id), world.leases()
    async with stage.bridge() as bridge:
        facts = RunFacts(run, thread, lease)
        claim = bridge.opens_with(Begin(world.clock, facts))
        if begin:
            await bridge.emit(thinking())
        keeper = LeaseKeeper(world.table, world.clock, bridge, facts, claim)
        lost = asyncio.Event()
        task = asyncio.create_task(keeper.keep(lost.set))
        yield Kept(keeper, bridge, lost, task)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def the_lease(world: World) -> LeaseRow:
    return world.leases()[0]


async def test_the_lease_is_renewed_for_twenty_seconds_every_five(world: World) -> None:
    """Each renewal is the same row with a later due time, and none comes before its time."""
    async with kept(world) as scene:
        claimed = the_lease(world)
        assert (claimed.state, claimed.nonce) == ("held", scene.bridge.nonce)
        for renewal in range(1, 5):
            await asyncio.sleep(RENEW_S - 0.01)
            assert the_lease(world).due - claimed.due == (renewal - 1) * 5000
            await asyncio.sleep(0.01)
            await asyncio.sleep(0)
            assert the_lease(world) == replace(claimed, due=claimed.due + renewal * 5000)
        assert not scene.lost.is_set()


async def test_an_attempt_that_has_not_begun_renews_nothing(world: World) -> None:
    """Its lease still waits for an engine: the keeper does not take it."""
    async with kept(world, begin=False) as scene:
        before = the_lease(world)
        await asyncio.sleep(21)
        assert the_lease(world) == before
        assert not scene.lost.is_set()
        await scene.bridge.emit(thinking())
        await asyncio.sleep(RENEW_S)
        assert the_lease(world).state == "held"


@pytest.mark.parametrize("taken", [{"nonce": "another"}, {"state": LeaseState.ENDED}, {"first_seq": 9}])
async def test_a_lease_that_is_anothers_is_told_and_left_alone(world: World, taken: dict[str, str]) -> None:
    """The keeper says so once, and ends."""
    async with kept(world) as scene:
        row = replace(the_lease(world), **taken)  # type: ignore[arg-type]
        world.memory._rows[row.key] = row
        await asyncio.wait_for(scene.task, RENEW_S + 0.1)
        assert scene.lost.is_set()
        assert the_lease(world) == row


async def test_a_lease_that_is_gone_is_not_made_anew(world: World) -> None:
    """A renewal never upserts."""
    async with kept(world) as scene:
        del world.memory._rows[the_lease(world).key]
        await asyncio.wait_for(scene.task, RENEW_S + 0.1)
        assert scene.lost.is_set()
        assert world.leases() == []


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_renewal_that_is_not_answered_is_made_good_by_the_next(world: World, fault: Fault) -> None:
    """The keeper goes on."""
    async with kept(world) as scene:
        world.table.fail_once(0, fault)
        await asyncio.sleep(2 * RENEW_S + 0.01)
        assert not scene.lost.is_set()
        assert scene.keeper.is_fresh()
        assert the_lease(world).due - world.clock.now_ms() == pytest.approx(20_000, abs=20)


async def test_a_refusal_for_good_ends_the_keeping(world: World) -> None:
    """What trying again will not mend is raised: a run that nobody keeps must not go on."""
    async with kept(world) as scene:

        def refuse(call: object) -> float:
            raise TableRefused("no permission")

        world.table.plan = refuse
        with pytest.raises(TableRefused):
            await asyncio.wait_for(scene.task, RENEW_S + 0.1)


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_lease_is_fresh_for_twenty_seconds_from_what_is_known_of_it(world: World, fault: Fault) -> None:
    """Where no renewal is answered, not even those that came through, the claim counts: on both sides of 20 s."""
    async with kept(world) as scene:
        world.table.plan = lambda call: fault
        await asyncio.sleep(19.999)
        assert scene.keeper.is_fresh()
        await asyncio.sleep(0.001)
        assert not scene.keeper.is_fresh()


async def test_a_slow_renewal_counts_from_when_it_was_asked_for(world: World) -> None:
    """The lease holds from the moment that stands in it, not from the answer's."""
    async with kept(world) as scene:
        world.table.plan = lambda call: 10.0
        await asyncio.sleep(16)
        world.table.plan = lambda call: Fault.REFUSED
        await asyncio.sleep(24.999 - 16)
        assert scene.keeper.is_fresh()
        await asyncio.sleep(0.001)
        assert not scene.keeper.is_fresh()


async def test_a_lease_that_may_be_due_is_renewed_before_anything_goes_on(world: World) -> None:
    """Also where the first tries are not answered; a fresh one is held without a call."""
    async with kept(world) as scene:
        world.table.plan = lambda call: Fault.REFUSED
        await asyncio.sleep(21)
        calls, until = len(world.table.calls), world.clock.monotonic() + HOLD_S / 2
        world.table.plan = lambda call: Fault.REFUSED if world.clock.monotonic() < until else None
        await scene.keeper.hold()
        assert scene.keeper.is_fresh()
        assert the_lease(world).due > world.clock.now_ms() + 15_000
        assert len(world.table.calls) > calls
        calls = len(world.table.calls)
        await scene.keeper.hold()
        assert len(world.table.calls) == calls


async def test_a_lease_that_may_be_due_and_is_anothers(world: World) -> None:
    """That is told apart from one of which nothing can be learned."""
    async with kept(world) as scene:
        world.table.plan = lambda call: Fault.REFUSED
        await asyncio.sleep(21)
        with pytest.raises(Unsettled):
            await scene.keeper.hold()
        world.table.plan = lambda call: None
        lease = the_lease(world)
        world.memory._rows[lease.key] = replace(lease, state=LeaseState.WAITING, nonce="", first_seq=9)
        with pytest.raises(Superseded):
            await scene.keeper.hold()


async def test_before_the_attempt_has_begun_there_is_nothing_to_hold(world: World) -> None:
    """However long its reading took: the first append claims the lease, or finds that it is gone."""
    async with kept(world, begin=False) as scene:
        await asyncio.sleep(25)
        calls = len(world.table.calls)
        await scene.keeper.hold()
        assert len(world.table.calls) == calls
