"""What recovery's tests share: how a run goes on that was resumed, and one that has no attempt left."""

from dataclasses import replace

from dayfly.recovery.actions import MOST_RESUMES
from dayfly.runs.invoker import EngineCall
from tests.fakes.agents import calculator, silent
from tests.fakes.world import World, assert_ended_once


async def killed(
    world: World, *, after_s: float = 2, invocation: str = "i-1", spent: bool = False, **fields: str
) -> EngineCall:
    """A run whose engine has died after so many seconds; with `spent`, one that was resumed as often as may be."""
    call = await world.killed(silent, after_s=after_s, invocation=invocation, **fields)
    if spent:
        row = world.run(call.run_id)
        world.memory._rows[row.key] = replace(row, resumes=MOST_RESUMES)
    return call


async def assert_goes_on(world: World, call: EngineCall, *, connection: str | None = "a1") -> None:
    """The run was resumed, once; of all engines that were asked for one takes it to its end."""
    (resumed,) = [event for event in world.log(call.run_id) if event["type"] == "agent_resumed"]
    payload = resumed["payload"]
    assert (payload["attempt"], payload["reason"]) == (2, "engine_lost")
    row = world.run(call.run_id)
    assert (row.attempt, row.first_seq, row.resumes) == (2, resumed["seq"] + 1, 1)
    (lease,) = [lease for lease in world.leases() if lease.run_id == call.run_id]
    assert (lease.state, lease.attempt, lease.first_seq) == ("waiting", 2, resumed["seq"] + 1)
    world.agents.scripts["assistant"] = calculator
    outcomes = [report.outcome for report in await world.serve() if report.outcome is not None]
    assert outcomes == ["completed"]
    assert assert_ended_once(world, call.run_id, connection=connection) == "agent_completed"
    assert world.log_types(call.run_id).count("agent_started") == 1
    assert all(lease.run_id != call.run_id for lease in world.leases())
