"""Committed events to every attached socket."""

import asyncio
import random

import pytest

from dayfly.delivery.broadcast import AUDIENCE_S, DRAIN_S, Broadcast
from dayfly.delivery.socket_queue import QUEUE_BYTES, SocketQueue
from dayfly.delivery.sockets import attachment
from dayfly.errors import PostRefused, Unsettled
from dayfly.protocol.events import AgentThinking
from dayfly.protocol.signals import Phase
from dayfly.store import keys
from dayfly.store.rows import AttachedRow
from tests.fakes.faulty_table import Fault
from tests.fakes.world import World, caller
from tests.unit.delivery.support import completed, staged, thinking


async def look(broadcast: Broadcast) -> None:
    await broadcast.refresh(phase=Phase.MODEL, elapsed_ms=7)


async def test_a_slow_socket_holds_back_no_other(world: World) -> None:
    """While one socket takes a second a frame, another is sent all at once, each in order."""
    stage = await staged(world)
    await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
    world.sockets.delays["a2"] = 1.0
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        for step in range(1, 5):
            await bridge.emit(thinking(step))
        await asyncio.sleep(0.5)
        assert max(world.sockets.times["a1"]) == 0
        assert [event["seq"] for event in world.sockets.events("a1")] == [1, 2, 3, 4, 5]
        assert await bridge.broadcast.drain()
    assert [event["seq"] for event in world.sockets.events("a2")] == [1, 2, 3, 4, 5]
    assert world.sockets.times["a2"][-4:] == [1, 2, 3, 4]


async def test_a_drain_waits_five_seconds_at_most(world: World) -> None:
    """A socket that is too slow is left behind by the end, and the drain says so."""
    stage = await staged(world)
    world.sockets.delays["a1"] = 60
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(completed())
        assert not await bridge.broadcast.drain()
        assert world.clock.monotonic() == DRAIN_S
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_full_queue_drops_but_never_the_end(world: World) -> None:
    """Over its bound a queue drops frames; what must fit is queued; the heartbeat's last seq shows the gap."""
    world.sockets.delays["c"] = 1.0
    queue = SocketQueue("c", world.sockets)
    frame = b'{"type": "x", "seq": 1}' + b" " * 100_000
    for seq in range(1, 20):
        queue.put(frame, seq=seq)
    queue.put(b'{"type": "end", "seq": 20}', seq=20, must_fit=True)
    assert queue.last_seq == 20
    await queue.drained()
    await queue.close()
    sent = world.sockets.received("c")
    assert sum(len(f) for f in world.sockets.frames["c"]) <= QUEUE_BYTES + len(frame)
    assert sent[-1]["type"] == "end"
    assert 5 <= len(sent) < 19


async def test_a_gone_socket_is_detached(world: World) -> None:
    """A socket that answers 410 is posted to once, its attachment is removed, and the others go on."""
    stage = await staged(world)
    await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
    world.sockets.gone.add("a2")
    before = world.sockets.tried["a2"]
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(thinking(1))
        await asyncio.sleep(1)
        await look(bridge.broadcast)
        assert bridge.broadcast.sockets == ("a1",)
        await bridge.emit(thinking(2))
        await look(bridge.broadcast)
        await bridge.broadcast.drain()
    assert world.sockets.tried["a2"] == before + 1
    assert {row.connection_id for row in world.rows(AttachedRow)} == {"a1"}
    assert [event["seq"] for event in world.sockets.events("a1")] == [1, 2, 3]


async def test_what_cannot_be_posted_does_not_stop_the_rest(world: World) -> None:
    """A frame that is refused, or that stays throttled, is left to the client's gap rule; what follows is sent."""
    for error in (Unsettled("429"), PostRefused("403")):
        world = World()
        stage = await staged(world)
        async with stage.bridge() as bridge:
            await look(bridge.broadcast)
            world.sockets.refuse["a1"] = error
            await bridge.emit(thinking(1))
            await asyncio.sleep(0.1)
            del world.sockets.refuse["a1"]
            await bridge.emit(thinking(2))
            assert await bridge.broadcast.drain()
        assert [event["seq"] for event in world.sockets.events("a1")] == [1, 3]


async def test_what_is_published_before_the_audience_is_known_is_held(world: World) -> None:
    """Until the audience was read once, events are held; then whoever is there is sent them all, in order."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(thinking(1))
        await bridge.emit(thinking(2))
        await asyncio.sleep(1)
        assert [event["seq"] for event in world.sockets.events("a1")] == [1]
        await look(bridge.broadcast)
        await bridge.emit(thinking(3))
        await bridge.broadcast.drain()
    assert [event["seq"] for event in world.sockets.events("a1")] == [1, 2, 3, 4]


async def test_a_newly_seen_socket_is_greeted(world: World) -> None:
    """A socket that a later look finds is sent what was published since the look before, is told by a heartbeat how far
    the log has come, and is sent what follows: with its replay, which may overlap, it has everything."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(thinking(1))
        await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
        await bridge.emit(thinking(2))
        await look(bridge.broadcast)
        await bridge.emit(thinking(3))
        await bridge.broadcast.drain()
    assert world.sockets.received("a2", "agent_heartbeat") == [
        {
            "type": "agent_heartbeat",
            "run_id": stage.call.run_id,
            "thread_id": stage.call.thread_id,
            "last_seq": 3,
            "phase": "model",
            "elapsed_ms": 7,
        }
    ]
    assert [event["seq"] for event in world.sockets.events("a2")] == [1, 2, 2, 3, 4]


async def test_what_was_published_before_the_last_look_is_not_sent_again(world: World) -> None:
    """A new socket's replay covers what was there when the look before it did not find it."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(thinking(1))
        await look(bridge.broadcast)
        await bridge.emit(thinking(2))
        world.memory._rows[attachment(caller(connection="a2"), stage.call.thread_id, now=0).key] = attachment(
            caller(connection="a2"), stage.call.thread_id, now=0
        )
        await look(bridge.broadcast)
        await bridge.broadcast.drain()
    assert [event["seq"] for event in world.sockets.events("a2")] == [3]


async def test_a_socket_seen_after_the_end_is_sent_the_end(world: World) -> None:
    """A socket found by the look after the terminal event is sent that event, which shows it its gap."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await world.ask("attach", thread_id=stage.call.thread_id, connection="a2")
        await bridge.emit(completed())
        await look(bridge.broadcast)
        assert await bridge.broadcast.drain()
    assert world.sockets.events("a2")[-1] == world.log(stage.call.run_id)[-1]


@pytest.mark.parametrize(
    ("error", "posted"), [(None, True), (PostRefused("403"), True), (Unsettled("429"), False)], ids=str
)
async def test_an_end_that_a_late_socket_could_not_be_sent_is_not_posted(
    world: World, error: Exception | None, *, posted: bool
) -> None:
    """Whoever comes after the end was posted to the others counts as they do: if another try may help, one is due."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(completed())
        await look(bridge.broadcast)
        assert await bridge.broadcast.drain()
        row = attachment(caller(connection="a2"), stage.call.thread_id, now=0)
        world.memory._rows[row.key] = row
        if error is not None:
            world.sockets.refuse["a2"] = error
        assert (await bridge.broadcast.flush()).posted is posted
    assert world.sockets.types("a1").count("agent_completed") == 1
    assert world.sockets.types("a2") == (["agent_completed"] if error is None else [])


async def test_a_detached_socket_is_forgotten(world: World) -> None:
    """A socket whose attachment is gone is sent nothing from the next look on."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await world.ask("detach", thread_id=stage.call.thread_id)
        await look(bridge.broadcast)
        await bridge.emit(thinking(1))
        assert await bridge.broadcast.drain()
    assert [event["seq"] for event in world.sockets.events("a1")] == [1]
    assert keys.socket_of_thread_key("u-alice", stage.call.thread_id, "a1") not in world.memory.rows


async def test_a_heartbeat_tells_each_socket_its_own_last_seq(world: World) -> None:
    """The last seq in a heartbeat is the last one queued to that very socket."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await look(bridge.broadcast)
        await bridge.emit(thinking(1))
        bridge.broadcast.heartbeat(phase=Phase.TOOL, elapsed_ms=1)
        await bridge.broadcast.drain()
    beat = world.sockets.received("a1")[-1]
    assert (beat["type"], beat["last_seq"], beat["phase"]) == ("agent_heartbeat", 2, "tool")


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
