"""Writing a terminal event, and seeing it off."""

import asyncio

import pytest

from dayfly.delivery.broadcast import AUDIENCE_S
from dayfly.errors import ErrorCode, Superseded
from dayfly.log.reader import steps_of
from dayfly.metrics import Metric
from dayfly.protocol.events import AgentCancelled, AgentError, TerminalPayload
from dayfly.runs.end import End, finish
from dayfly.runs.lease import as_read
from dayfly.store.rows import AttachedRow
from dayfly.store.table import Matches
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.ports import Measurement
from tests.fakes.world import World, assert_ended_once
from tests.unit.delivery.support import Stage, completed, staged

FAILED = AgentError(code=ErrorCode.MODEL_FAILED, message="Busy.", retryable=True)


async def ended(stage: Stage, payload: TerminalPayload) -> None:
    """Ends the stage's run, which nobody has begun, at seq 2."""
    world, run = stage.world, stage.run
    lease = next(lease for lease in world.leases() if lease.run_id == run.run_id)
    end = End(
        world.table,
        run=run,
        steps=lambda: steps_of(world.table, user_id=run.user_id, run_id=run.run_id),
        lease_is=lambda: Matches(**as_read(lease)),
    )
    async with stage.bridge() as bridge:
        await finish(world.run_writer(), bridge, payload, end)


@pytest.mark.parametrize(
    ("payload", "counted"),
    [
        (completed(), Measurement(Metric.RUNS_COMPLETED, 1)),
        (AgentCancelled(execution_time_ms=1), Measurement(Metric.RUNS_CANCELLED, 1)),
        (FAILED, Measurement(Metric.RUNS_FAILED, 1, ErrorCode.MODEL_FAILED)),
    ],
)
async def test_the_outcome_is_counted_by_whoever_writes_the_end(
    world: World, payload: TerminalPayload, counted: Measurement
) -> None:
    """Once, by its kind, a failure with its code; who came second counts nothing."""
    stage = await staged(world)
    results = await asyncio.gather(ended(stage, payload), ended(stage, payload), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Superseded]
    outcomes = {Metric.RUNS_COMPLETED, Metric.RUNS_CANCELLED, Metric.RUNS_FAILED}
    assert [one for one in world.meter.taken if one.metric in outcomes] == [counted]


async def test_the_next_run_does_not_wait_for_a_slow_socket(world: World) -> None:
    """Its engine is asked for as soon as the end is committed, while that is still being posted."""
    stage = await staged(world)
    follower = await world.queued(stage.call)
    world.sockets.delays["a1"] = 4
    finishing = asyncio.create_task(ended(stage, completed()))
    await asyncio.sleep(1)
    assert [call.run_id for call in world.invoker.calls] == [stage.call.run_id, follower]
    assert "agent_completed" not in world.sockets.types("a1")
    await finishing
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"


async def test_a_socket_that_hangs_leaves_the_lease(world: World) -> None:
    """Where the end was not posted to all within 5 s the lease stays, for the sweep."""
    stage = await staged(world)
    world.sockets.delays["a1"] = 3600
    started = world.clock.monotonic()
    await ended(stage, completed())
    assert world.clock.monotonic() - started == 5
    assert [lease.state for lease in world.leases()] == ["ended"]


async def test_an_audience_that_cannot_be_read_leaves_the_lease(world: World) -> None:
    """Whoever watches would miss the end: after 2 s that is left to the sweep, which posts it."""
    stage = await staged(world)
    world.table.plan = lambda call: Fault.REFUSED if call.method == "query_live" else None
    started = world.clock.monotonic()
    await ended(stage, completed())
    assert world.clock.monotonic() - started <= AUDIENCE_S + 0.5, "the last pause may be half as long again"
    assert [lease.state for lease in world.leases()] == ["ended"]
    world.table.plan = lambda call: None
    await asyncio.sleep(6)
    await world.sweep()
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"
    assert world.leases() == []


async def test_a_socket_that_attaches_between_commit_and_posting_is_sent_the_end(world: World) -> None:
    """The audience is read once more behind the last append."""
    stage = await staged(world)

    def plan(call: Call) -> None:
        if call.method == "query_live":
            row = AttachedRow(
                user_id="u-alice", thread_id=stage.call.thread_id, connection_id="a2", attached=0, expires=2**40
            )
            world.memory._rows[row.key] = row

    world.table.plan = plan
    await ended(stage, completed())
    assert world.sockets.events("a2") == world.log(stage.call.run_id)[-1:]
    assert world.leases() == []


async def test_a_lease_that_is_not_dropped_has_the_end_posted_once_more(world: World) -> None:
    """The last call of the table may fail: the sweep posts the end again, and clients drop it by its seq."""
    stage = await staged(world)

    def plan(call: Call) -> Fault | None:
        ends = world.log_types(stage.call.run_id)[-1] == "agent_completed"
        return Fault.REFUSED if ends and call.method == "write" else None

    world.table.plan = plan
    await ended(stage, completed())
    world.table.plan = lambda call: None
    assert len(world.leases()) == 1
    await asyncio.sleep(6)
    await world.sweep()
    assert world.sockets.types("a1").count("agent_completed") == 2
    assert assert_ended_once(world, stage.call.run_id) == "agent_completed"
