"""Asking for a run's engine."""

from dataclasses import replace

import pytest

from dayfly.errors import IllegalTransition, PortError, Unsettled
from tests.fakes.world import World


async def test_the_call_is_for_the_runs_present_attempt(world: World) -> None:
    """It names the attempt and the seq that the row has now, and nothing of the text."""
    call = await world.admitted("A secret.")
    await world.run_writer().start_engine(replace(world.run(call.run_id), attempt=3, first_seq=17))
    assert world.invoker.calls[-1] == replace(call, attempt=3, first_seq=17)
    assert "secret" not in repr(world.invoker.calls[-1])


@pytest.mark.parametrize("error", [PortError("throttled"), Unsettled("time-out")])
async def test_a_request_that_is_lost_is_the_sweeps_business(world: World, error: PortError) -> None:
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
