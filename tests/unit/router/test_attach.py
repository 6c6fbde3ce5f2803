"""Attach, detach and replay."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Thinking, Turn
from dayfly.router.attach import REPLAY_RUNS
from dayfly.store.rows import AttachedRow, LogRow
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Call
from tests.fakes.world import World
from tests.unit.router.support import many_ended


async def test_attach_replays_a_running_run_from_its_beginning(world: World) -> None:
    """Without cursors, attach sends the active run whole, then `attached` with its status and last seq."""
    call = await world.admitted()
    reply = await world.ask("attach", id="q", thread_id=call.thread_id, connection="a2")
    assert reply == {
        "type": "attached",
        "id": "q",
        "thread_id": call.thread_id,
        "runs": [{"run_id": call.run_id, "status": "running", "seq": 1}],
        "more": False,
    }
    assert world.sockets.types("a2") == ["user_message", "attached"]
    await world.engine(call)
    assert world.sockets.events("a2") == world.log(call.run_id)


async def test_an_idle_thread_has_nothing_to_replay(world: World) -> None:
    """Without cursors, a thread with no run under way answers with no runs: ended runs are for `history`."""
    call = await world.admitted()
    await world.engine(call)
    reply = await world.ask("attach", thread_id=call.thread_id, connection="a2")
    assert (reply["runs"], reply["more"]) == ([], False)


async def test_a_cursor_inside_a_batch(world: World) -> None:
    """From whatever seq a client goes on, it is sent exactly what comes after, also within one batch."""

    async def quick(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        for step in range(2, 30):
            yield Delta("x" * 9000)
            yield Delta(str(step))
        yield Answered("Done.")

    world.agents.scripts["assistant"] = quick
    call = await world.admitted()
    await world.engine(call)
    log = world.log(call.run_id)
    assert any(row.last > row.first for row in world.rows(LogRow))
    for seq in range(len(log) + 2):
        connection = f"c{seq}"
        reply = await world.ask("attach", thread_id=call.thread_id, after={call.run_id: seq}, connection=connection)
        assert world.sockets.events(connection) == log[seq:]
        assert reply["runs"] == [{"run_id": call.run_id, "status": "completed", "seq": len(log)}]


async def test_attach_sends_every_run_from_the_oldest_named_on(world: World) -> None:
    """A client that names an old run is sent the rest of it and all runs after it."""
    call = await world.admitted("One")
    await world.engine(call)
    for text in ("Two", "Three"):
        await world.engine(await world.admitted(text, thread_id=call.thread_id))
    runs = [each.run_id for each in world.invoker.calls]
    reply = await world.ask("attach", thread_id=call.thread_id, after={runs[1]: 2}, connection="a2")
    assert world.sockets.events("a2") == world.log(runs[1])[2:] + world.log(runs[2])
    assert [run["run_id"] for run in reply["runs"]] == runs[1:]


async def test_attach_while_the_run_goes_on_misses_nothing(world: World) -> None:
    """Whenever during a run a second device attaches, replay and live events together are the log."""

    async def steady(turn: Turn) -> AsyncIterator[AgentEvent]:
        for step in range(1, 11):
            yield Thinking(f"Step {step}.", step)
            await asyncio.sleep(0.2)
        yield Answered("Done.")

    for tenth in range(0, 24, 2):
        world = World()
        world.agents.scripts["assistant"] = steady
        call = await world.admitted()
        engine = asyncio.create_task(world.engine(call))
        await asyncio.sleep(tenth / 10 + 0.01)
        after: dict[str, int] = {}
        await world.ask("attach", thread_id=call.thread_id, connection="a2")
        while True:
            # The client's gap rule: what a later event or a heartbeat shows as missing is asked for by attaching anew.
            held = {event["seq"] for event in world.sockets.events("a2")}
            whole = next(seq for seq in range(1, 100) if seq not in held) - 1
            beats = [frame["last_seq"] for frame in world.sockets.received("a2", "agent_heartbeat")]
            if max([*held, *beats, 0]) > whole:
                after = {call.run_id: whole}
                await world.ask("attach", thread_id=call.thread_id, after=after, connection="a2")
            if engine.done():
                break
            await asyncio.sleep(0.1)
        held = {event["seq"] for event in world.sockets.events("a2")}
        if tenth < 20:
            assert held == {event["seq"] for event in world.log(call.run_id)}


async def test_a_detached_socket_is_sent_no_more(world: World) -> None:
    """After `detached`, events of the thread no longer come, and other sockets go on."""
    call = await world.admitted()
    await world.ask("attach", thread_id=call.thread_id, connection="a2")
    reply = await world.ask("detach", id="q", thread_id=call.thread_id)
    assert reply == {"type": "detached", "id": "q", "thread_id": call.thread_id}
    before = len(world.sockets.frames["a1"])
    await world.engine(call)
    assert len(world.sockets.frames["a1"]) == before
    assert world.sockets.events("a2") == world.log(call.run_id)
    assert {row.connection_id for row in world.rows(AttachedRow)} == {"a2"}


async def test_detaching_what_is_not_attached_is_no_error(world: World) -> None:
    """`detach` of any thread answers `detached`, and so tells nothing of others' threads."""
    assert (await world.ask("detach", thread_id="t-nobody"))["type"] == "detached"


async def test_run_ids_sort_by_turn_whoever_comes_late(world: World) -> None:
    """An admission that is overtaken in its thread takes a new id, so that a later attach that names only the run
    before finds it."""
    first = await world.admitted()
    await world.engine(first)
    delayed = False

    def plan(one: Call) -> float | None:
        nonlocal delayed
        if one.method == "write" and len(one.actions) > 5 and not delayed:
            delayed = True
            return 5.0
        return None

    world.table.plan = plan
    late = asyncio.create_task(world.ask("run", connection="c1", text="Late", id="q-late", thread_id=first.thread_id))
    await asyncio.sleep(1)
    overtaking = await world.admitted("Early", thread_id=first.thread_id)
    await world.engine(overtaking)
    accepted = await late
    assert accepted["type"] == "accepted"
    assert accepted["run_id"] > overtaking.run_id
    reply = await world.ask("attach", connection="b1", thread_id=first.thread_id, after={overtaking.run_id: 99})
    assert [run["run_id"] for run in reply["runs"]] == [overtaking.run_id, accepted["run_id"]]


async def test_attach_tells_where_open_runs_stand(world: World) -> None:
    """A run that waits for its user, and those queued behind it with their places; each is replayed, also to a client
    that names nothing."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    await world.serve()
    first, second = await world.queued(call), await world.queued(call, if_busy="enqueue")
    reply = await world.ask("attach", thread_id=call.thread_id, connection="a2")
    assert reply["runs"] == [
        {"run_id": call.run_id, "status": "waiting", "seq": len(world.log(call.run_id))},
        {"run_id": first, "status": "queued", "seq": 1, "position": 1},
        {"run_id": second, "status": "queued", "seq": 1, "position": 2},
    ]
    assert world.sockets.events("a2") == [*world.log(call.run_id), *world.log(first), *world.log(second)]
    again = await world.ask("attach", thread_id=call.thread_id, after={call.run_id: 4, first: 1}, connection="a3")
    assert again["runs"] == reply["runs"]
    assert world.sockets.events("a3") == [*world.log(call.run_id)[4:], *world.log(second)]


async def test_a_resumed_run_is_replayed_whole(world: World) -> None:
    """Over all its attempts, what is void included: the client drops that by `discard_after`."""
    call = await world.killed(silent)
    await world.notice(call)
    world.agents.scripts["assistant"] = Programme(Round("The end."))
    await world.serve()
    reply = await world.ask("attach", thread_id=call.thread_id, after={call.run_id: 0}, connection="a2")
    assert [run["status"] for run in reply["runs"]] == ["completed"]
    assert world.sockets.events("a2") == world.log(call.run_id)


async def test_attach_while_one_run_follows_the_other_misses_nothing(world: World) -> None:
    """Whenever a second device attaches to a thread with a queue: of each run that had not ended, and of all after it,
    replay and live events together are the log."""
    lengths: set[int] = set()
    for moment in range(0, 70, 3):
        world = World()
        world.agents.scripts["assistant"] = Programme(
            Round("So.", calls=("c-1",), think_s=1, tool_s=0.1), Round("Yes.")
        )
        call = await world.admitted()
        runs = [call.run_id, *[await world.queued(call) for _ in range(2)]]
        serving = asyncio.create_task(world.serve())
        await asyncio.sleep(moment * 0.05)
        for _ in range(moment % 7):
            await asyncio.sleep(0)
        reply = await world.ask("attach", thread_id=call.thread_id, connection="a2")
        await serving
        open_then = {run["run_id"] for run in reply["runs"]}
        lengths.add(len(open_then))
        for run in runs:
            seen = {frame["seq"]: frame for frame in world.sockets.events("a2") if frame["run_id"] == run}
            assert [seen[seq] for seq in sorted(seen)] == (world.log(run) if run in open_then else [])
    assert lengths == {0, 1, 2, 3}


async def test_a_refused_attach_attaches_nothing(world: World) -> None:
    """A cursor of a run that is nowhere, in another thread, or another user's is `run_not_found`, and the connection is
    sent nothing from then on."""
    call, other = await world.admitted(), await world.admitted()
    foreign = await world.admitted(user="u-bob", connection="b1")
    for run in ("r-none", other.run_id, foreign.run_id):
        after = {call.run_id: 0, run: 0}
        reply = await world.ask("attach", connection="a2", thread_id=call.thread_id, after=after)
        assert (reply["type"], reply["code"]) == ("error", "run_not_found")
    await world.engine(call)
    assert world.sockets.events("a2") == []
    assert "a2" not in {row.connection_id for row in world.rows(AttachedRow)}


async def test_a_refused_attach_does_not_detach(world: World) -> None:
    """What an earlier `attach` of the same connection has attached goes on."""
    call = await world.admitted()
    await world.ask("attach", connection="a2", thread_id=call.thread_id)
    reply = await world.ask("attach", connection="a2", thread_id=call.thread_id, after={"r-none": 0})
    assert reply["code"] == "run_not_found"
    await world.engine(call)
    assert world.sockets.events("a2") == world.log(call.run_id)


async def test_an_unknown_run_is_refused_however_many_runs_were_missed(world: World) -> None:
    """Where more runs follow the oldest named one than a replay goes over, too."""
    first = await many_ended(world, REPLAY_RUNS + 2)
    after = {first["run_id"]: 0, f"{first['run_id']}x": 0}
    reply = await world.ask("attach", connection="a2", thread_id=first["thread_id"], after=after)
    assert reply["code"] == "run_not_found"


@pytest.mark.parametrize("after", [{}, {"r-none": 0}])
async def test_a_thread_that_is_not_there_is_not_attached(world: World, after: dict[str, int]) -> None:
    """A thread that never was, another user's, and a forgotten one are `thread_not_found`, with cursors and without."""
    call = await world.admitted(user="u-bob", connection="b1")
    mine = await world.admitted()
    await world.ask("forget", thread_id=mine.thread_id)
    for thread in ("t-none", call.thread_id, mine.thread_id):
        reply = await world.ask("attach", connection="a2", thread_id=thread, after=after)
        assert (reply["type"], reply["code"]) == ("error", "thread_not_found")
    assert "a2" not in {row.connection_id for row in world.rows(AttachedRow)}


async def test_a_cursor_of_a_run_that_has_just_come_in_is_known(world: World) -> None:
    """From `accepted` on, whatever becomes of the run, it can be named."""
    call = await world.admitted()
    queued = await world.queued(call)
    await world.ask("cancel", run_id=queued)
    reply = await world.ask("attach", connection="a2", thread_id=call.thread_id, after={call.run_id: 1, queued: 2})
    assert [run["run_id"] for run in reply["runs"]] == [call.run_id, queued]
