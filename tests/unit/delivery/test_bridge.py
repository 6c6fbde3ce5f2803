"""Append, then publish; gather while an append is in flight."""

import asyncio

import pytest

from dayfly.delivery.bridge import BUFFERED_WEIGHT, DELTA_PAUSE_S
from dayfly.errors import EngineClosed, Superseded, Unsettled
from dayfly.log.fold import Said
from dayfly.log.messages import AssistantSaid
from dayfly.log.reader import steps_of
from dayfly.log.writer import RECORD_ALONE
from dayfly.protocol.events import AgentResumed
from dayfly.protocol.signals import Phase
from dayfly.store.rows import LogRow
from tests.fakes.faulty_table import Fault
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World
from tests.unit.delivery.support import completed, item, staged, thinking


async def test_an_event_is_posted_only_after_it_is_in_the_log(world: World) -> None:
    """At the moment of posting, the event is in the table, word for word."""
    stage = await staged(world)
    checked: list[int] = []

    def witness(connection: str, frame: JsonObject) -> None:
        if "seq" in frame:
            assert frame in world.log(stage.call.run_id)
            checked.append(frame["seq"])

    world.sockets.witness = witness
    async with stage.bridge() as bridge:
        await bridge.broadcast.refresh(phase=Phase.STARTING, elapsed_ms=0)
        for step in range(1, 6):
            await bridge.emit(thinking(step))
            await bridge.say("text")
        await bridge.emit(thinking(6))
        await bridge.broadcast.drain()
    assert checked == list(range(2, 13))


async def test_what_arrives_during_an_append_is_one_batch(world: World) -> None:
    """While an append takes long, all that comes is gathered and committed together behind it."""
    stage = await staged(world)
    world.table.plan = lambda call: 0.3 if call.method == "write" else None
    async with stage.bridge() as bridge:
        first = asyncio.create_task(bridge.emit(thinking(1)))
        await asyncio.sleep(0.1)
        await asyncio.gather(*(bridge.emit(thinking(step)) for step in range(2, 6)), first)
    assert [(row.first, row.last) for row in world.rows(LogRow)] == [(1, 1), (2, 2), (3, 6)]


async def test_deltas_are_appended_at_most_every_100_ms(world: World) -> None:
    """A thousand tokens in a second are some ten appends, and nothing of them is lost."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        for _ in range(1000):
            await bridge.say("x")
            await asyncio.sleep(0.001)
        await bridge.emit(thinking())
    rows = world.rows(LogRow)[1:]
    assert 8 <= len(rows) <= 1 / DELTA_PAUSE_S + 2
    log = world.log(stage.call.run_id)
    assert "".join(e["payload"]["text"] for e in log if e["type"] == "agent_delta") == "x" * 1000


async def test_a_lifecycle_event_takes_waiting_text_along_at_once(world: World) -> None:
    """An event other than a delta is committed without a pause, and the text before it in the same batch."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.emit(thinking(1))
        started = world.clock.monotonic()
        await bridge.say("text")
        await bridge.emit(thinking(2))
        assert world.clock.monotonic() == started
    assert [(row.first, row.last) for row in world.rows(LogRow)][-1] == (3, 4)


async def test_a_slow_log_holds_the_producer_back(world: World) -> None:
    """While the log is slow, no more than the buffer's bytes wait; the producer waits for room."""
    stage = await staged(world)
    world.table.plan = lambda call: 10.0 if call.method == "write" else None
    async with stage.bridge() as bridge:
        said = 0

        async def talk() -> None:
            nonlocal said
            while True:
                await bridge.say("x" * 1000)
                said += 1000

        talker = asyncio.create_task(talk())
        await asyncio.sleep(5)
        assert BUFFERED_WEIGHT / 2 <= said <= BUFFERED_WEIGHT * 2
        talker.cancel()
        await asyncio.gather(talker, return_exceptions=True)


async def test_a_failure_is_told_to_all(world: World) -> None:
    """After another writer took over, whoever waits and whoever comes later is told so."""
    stage = await staged(world)
    await stage.writer().append((item(),), RECORD_ALONE)
    async with stage.bridge() as bridge:
        results = await asyncio.gather(*(bridge.emit(thinking(s)) for s in range(1, 4)), return_exceptions=True)
        assert [type(result) for result in results] == [Superseded] * 3
        with pytest.raises(Superseded):
            await bridge.say("x")
        with pytest.raises(Superseded):
            bridge.note(AssistantSaid("x"))


async def test_a_producer_that_waits_for_room_is_told_too(world: World) -> None:
    """A producer held back by a full buffer learns that the log cannot be reached."""
    stage = await staged(world)
    world.table.plan = lambda call: Fault.REFUSED
    async with stage.bridge() as bridge:

        async def talk() -> None:
            while True:
                await bridge.say("x" * 1000)

        with pytest.raises(Unsettled):
            await talk()


async def test_a_failure_of_any_kind_is_told(world: World) -> None:
    """An error that nobody foresaw reaches whoever waits, instead of leaving them waiting."""
    stage = await staged(world)

    def broken(call: object) -> float:
        raise ZeroDivisionError

    world.table.plan = broken
    async with stage.bridge() as bridge:
        with pytest.raises(ZeroDivisionError):
            await bridge.emit(thinking())


async def test_nothing_is_taken_after_a_terminal_event(world: World) -> None:
    """Behind a terminal event nothing is taken any more, also while that event is still being written."""
    stage = await staged(world)
    world.table.plan = lambda call: 1.0 if call.method == "write" else None
    async with stage.bridge() as bridge:
        end = asyncio.create_task(bridge.emit(completed()))
        await asyncio.sleep(0.5)
        with pytest.raises(EngineClosed):
            await bridge.emit(thinking())
        await end
        with pytest.raises(EngineClosed):
            await bridge.say("x")
    assert world.log_types(stage.call.run_id) == ["user_message", "agent_completed"]


async def test_nothing_is_taken_after_the_last_event_of_an_attempt(world: World) -> None:
    """An event that leaves the run to another attempt seals the bridge from the moment on in which it is given: no seq
    behind it is taken by whoever comes back late, whatever that emits, says or notes."""
    stage = await staged(world)
    world.table.plan = lambda call: 1.0 if call.method == "write" else None
    resumed = AgentResumed(attempt=2, reason="handed_over")
    async with stage.bridge() as bridge:
        last = asyncio.create_task(bridge.commit_all((thinking(1), resumed), RECORD_ALONE, last=True))
        for _ in range(3):
            await asyncio.sleep(0.4)
            with pytest.raises(EngineClosed):
                await bridge.emit(thinking(2))
            with pytest.raises(EngineClosed):
                await bridge.say("x")
            with pytest.raises(EngineClosed):
                bridge.note(AssistantSaid("x"))
        committed = await last
    assert (committed.row.first, committed.row.last) == (2, 3)
    assert world.log_types(stage.call.run_id) == ["user_message", "agent_thinking", "agent_resumed"]


async def test_events_that_belong_together_are_one_batch(world: World) -> None:
    """However much text waits before them, several events with one transition are never torn apart."""
    for pieces in range(1, 40, 3):
        world = World()
        stage = await staged(world)
        world.table.plan = lambda call: 0.5 if call.method == "write" else None
        async with stage.bridge() as bridge:
            first = asyncio.create_task(bridge.emit(thinking(1)))
            await asyncio.sleep(0.1)
            for _ in range(pieces):
                await bridge.say("x" * 1500)
            committed = await bridge.commit_all([thinking(step) for step in range(2, 18)], RECORD_ALONE, last=True)
            await first
        assert [event.type for event in committed.batch.events[-16:]] == ["agent_thinking"] * 16


async def test_what_is_discarded_is_not_written(world: World) -> None:
    """After `discard` only what was on its way already is in the log, and `steps` says so; new text is taken again."""
    stage = await staged(world)
    world.table.plan = lambda call: 1.0 if call.method == "write" else None
    async with stage.bridge() as bridge:
        await bridge.say("on its way")
        await asyncio.sleep(0.2)
        await bridge.say(" dropped")
        bridge.note(AssistantSaid("on its way dropped"))
        await bridge.discard()
        assert bridge.steps == [Said(2, "on its way")]
        await bridge.emit(thinking(2))
    assert world.log_types(stage.call.run_id) == ["user_message", "agent_delta", "agent_thinking"]
    assert await steps_of(world.table, user_id="u-alice", run_id=stage.call.run_id) == (Said(2, "on its way"),)


async def test_whoever_waits_for_what_is_discarded_is_told(world: World) -> None:
    """An emit that had not begun to be written raises; the bridge goes on."""
    stage = await staged(world)
    world.table.plan = lambda call: 1.0 if call.method == "write" else None
    async with stage.bridge() as bridge:
        first = asyncio.create_task(bridge.emit(thinking(1)))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(bridge.emit(thinking(2)))
        await asyncio.sleep(0.1)
        await bridge.discard()
        assert (await first).row.first == 2
        with pytest.raises(EngineClosed):
            await second
        assert (await bridge.emit(thinking(3))).row.first == 3


async def test_discarding_behind_a_failure_raises_it(world: World) -> None:
    """Another writer has taken over: whoever wants to hand over learns it here."""
    stage = await staged(world)
    await stage.writer().append((item(),), RECORD_ALONE)
    async with stage.bridge() as bridge:
        await bridge.say("x")
        await asyncio.sleep(0.2)
        with pytest.raises(Superseded):
            await bridge.discard()


async def test_a_journal_message_waits_for_its_event(world: World) -> None:
    """A note alone is not appended; it goes with the next event, in the order in which both came."""
    stage = await staged(world)
    async with stage.bridge() as bridge:
        await bridge.say("ab")
        bridge.note(AssistantSaid("ab"))
        await asyncio.sleep(1)
        bridge.note(AssistantSaid("again"))
        await asyncio.sleep(1)
        assert [(row.first, bool(row.journal)) for row in world.rows(LogRow)] == [(1, False), (2, False)]
        await bridge.emit(thinking())
    assert [(row.first, bool(row.journal)) for row in world.rows(LogRow)][-1] == (3, True)


async def test_close_is_idempotent_and_final(world: World) -> None:
    """A closed bridge takes nothing, tells those who wait, and may be closed again or without having been opened."""
    stage = await staged(world)
    world.table.plan = lambda call: 10.0 if call.method == "write" else None
    bridge = stage.bridge()
    async with bridge:
        waiting = asyncio.create_task(bridge.emit(thinking()))
        await asyncio.sleep(1)
        await bridge.close()
        with pytest.raises(EngineClosed):
            await waiting
    await bridge.close()
    with pytest.raises(EngineClosed):
        await bridge.emit(thinking())
    await stage.bridge().close()


async def test_much_text_of_any_alphabet_stays_within_an_item(world: World) -> None:
    """However much text waits for a slow log, in whatever alphabet, each batch is an item that the table takes."""
    for character in ("x", "😀", "\x01"):
        world = World()
        stage = await staged(world)
        world.table.plan = lambda call: 0.5 if call.method == "write" else None
        async with stage.bridge() as bridge:
            for _ in range(60):
                await bridge.say(character * 3000)
            await bridge.emit(completed("😀" * 6000))
        log = world.log(stage.call.run_id)
        assert "".join(e["payload"]["text"] for e in log if e["type"] == "agent_delta") == character * 180_000
        assert log[-1]["type"] == "agent_completed"
