"""What becomes of a run beyond one engine is counted once, by whoever did it."""

import asyncio

from dayfly.metrics import TIMES, Metric
from tests.fakes.agents import Programme, Round, asking
from tests.fakes.world import World


def counted(world: World) -> tuple[float, float, float]:
    """Runs resumed, runs handed over, approvals asked for."""
    total = world.meter.total
    return (total(Metric.RUNS_RESUMED), total(Metric.RUNS_HANDED_OVER), total(Metric.APPROVALS_REQUESTED))


def test_times_are_metrics() -> None:
    """What is measured in milliseconds is named as a time or latency, and nothing else is."""
    assert {metric for metric in Metric if "Time" in metric or "Latency" in metric} == TIMES


async def test_a_resumed_run_is_counted_when_its_attempt_is_open(world: World) -> None:
    """Each resume counts one, however often the notice comes; the end after the last one counts as a failure alone."""
    call = await world.killed(Programme(Round("Well.", think_s=60)))
    for resumes in (1, 2):
        await world.notice(call)
        await world.notice(call)
        assert counted(world) == (resumes, 0, 0)
        call = world.invoker.calls[-1]
        engine = world.starts(call)
        await asyncio.sleep(2)
        await world.crash(engine)
    await world.notice(call)
    assert counted(world) == (2, 0, 0)
    assert world.meter.total(Metric.RUNS_FAILED) == 1


async def test_each_hand_over_is_counted(world: World) -> None:
    """Every attempt but the last counts one."""
    steps = (Round(calls=(f"c-{number}",), tool_s=100) for number in range(20))
    world.agents.scripts["assistant"] = Programme(*steps, Round("So."))
    await world.admitted()
    attempts = await world.serve()
    assert len(attempts) > 2
    assert counted(world) == (0, len(attempts) - 1, 0)


async def test_each_question_is_counted(world: World) -> None:
    """Every call that waits counts one, once; its answer and its expiry count nothing."""
    world.agents.scripts["assistant"] = asking("c-1", "c-2", "c-3")
    call = await world.admitted()
    await world.serve()
    assert counted(world) == (0, 0, 3)
    await world.approve(call.run_id, "c-1")
    await asyncio.sleep(world.limits.approval_ms / 1000 + 60)
    await world.sweep()
    await world.serve()
    assert counted(world) == (0, 0, 3)
    assert world.meter.total(Metric.RUNS_COMPLETED) == 1
