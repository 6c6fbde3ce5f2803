"""What follows a writer's last append."""

import random

import pytest

from dayfly.delivery.broadcast import AUDIENCE_S
from dayfly.protocol.events import AgentThinking
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World
from tests.unit.delivery.support import staged, thinking


async def test_who_comes_after_the_append_is_sent_it(world: World) -> None:
    """The audience is read again, and is given back."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(thinking())
        await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
        before = len(world.sockets.events("a2"))
        seen = await bridge.broadcast.flush()
    assert seen.posted
    assert seen.audience is not None
    assert set(seen.audience.sockets) == {"a1", "a2"}
    assert [event["type"] for event in world.sockets.events("a2")[before:]] == [AgentThinking.type]


@pytest.mark.parametrize("seed", range(100))
async def test_an_audience_that_can_not_be_read_is_nobody_who_was_sent_all(
    seed: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for a while, however the pauses are drawn, and nothing is raised: what was appended stands in the
    log."""
    monkeypatch.setattr(random, "uniform", random.Random(seed).uniform)
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(thinking())
        world.table.plan = lambda call: Fault.REFUSED
        until = world.clock.monotonic() + AUDIENCE_S
        seen = await bridge.broadcast.flush()
    assert (seen.audience, seen.posted) == (None, False)
    assert world.clock.monotonic() <= until


async def test_a_slow_socket_is_waited_for_so_long(world: World) -> None:
    """On both sides of the patience."""
    for delay, posted in ((0.4, True), (0.6, False)):
        world = World()
        stage = await staged(world)
        async with stage.bridge() as bridge:
            world.sockets.delays["a1"] = delay
            await bridge.emit(thinking())
            assert (await bridge.broadcast.flush(drain_s=0.5)).posted is posted
