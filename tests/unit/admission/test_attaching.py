"""Attach, detach and replay."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from dayfly.admission import attaching
from dayfly.admission.attaching import REPLAY_EVENTS, REPLAY_RUNS
from dayfly.agents.protocol import AgentEvent, Answered, Delta, Thinking, Turn
from dayfly.errors import PostRefused, Unsettled
from dayfly.protocol.limits import ATTACH_CURSORS, FRAME_BYTES
from dayfly.runlog.queueing import QUEUE_LENGTH
from dayfly.runlog.rows import AttachedRow, LogRow, RunRow
from tests.fakes.agents import Programme, Round, asking, silent
from tests.fakes.faulty_table import Call
from tests.fakes.sockets import JsonObject, Sockets
from tests.fakes.world import World, caller


async def verbose(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Fills 400 KB of log with text."""
    for step in range(1, 41):
        yield Thinking(f"Step {step}.", step)
        yield Delta(f"{step:05d}" * 2000)
    yield Answered("Done.")


async def many_ended(world: World, count: int) -> JsonObject:
    """The `accepted` of the first of so many runs of one thread, all of which have ended."""
    first = run = await world.ask("run", text="0")
    await world.ask("cancel", run_id=run["run_id"])
    for number in range(1, count):
        await asyncio.sleep(1.1)  # within the quota
        run = await world.ask("run", text=str(number), thread_id=first["thread_id"])
        await world.ask("cancel", run_id=run["run_id"])
    return first


async def test_attach_replays_a_running_run_from_its_beginning(world: World) -> None:
    """Without cursors, attach sends the active run whole, then `attached` with its status and last seq."""
    call = await world.admitted()
    reply = await world.ask("attach", id="q", thread_id=call.thread, connection="a2")
    assert reply == {
        "type": "attached",
        "id": "q",
        "thread_id": call.thread,
        "runs": [{"run_id": call.run, "status": "running", "seq": 1}],
        "more": False,
    }
    assert world.sockets.types("a2") == ["user_message", "attached"]
    await world.engine(call)
    assert world.sockets.events("a2") == world.log(call.run)


async def test_an_idle_thread_has_nothing_to_replay(world: World) -> None:
    """Without cursors, a thread with no run under way answers with no runs: the past is for `history`."""
    call = await world.admitted()
    await world.engine(call)
    reply = await world.ask("attach", thread_id=call.thread, connection="a2")
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
    log = world.log(call.run)
    assert any(row.last > row.first for row in world.rows(LogRow))
    for seq in range(len(log) + 2):
        connection = f"c{seq}"
        reply = await world.ask("attach", thread_id=call.thread, after={call.run: seq}, connection=connection)
        assert world.sockets.events(connection) == log[seq:]
        assert reply["runs"] == [{"run_id": call.run, "status": "completed", "seq": len(log)}]


async def test_attach_sends_every_run_from_the_oldest_named_on(world: World) -> None:
    """A client that names an old run is sent the rest of it and all runs after it."""
    call = await world.admitted("One")
    await world.engine(call)
    for text in ("Two", "Three"):
        await world.engine(await world.admitted(text, thread_id=call.thread))
    runs = [each.run for each in world.invoker.calls]
    reply = await world.ask("attach", thread_id=call.thread, after={runs[1]: 2}, connection="a2")
    assert world.sockets.events("a2") == world.log(runs[1])[2:] + world.log(runs[2])
    assert [run["run_id"] for run in reply["runs"]] == runs[1:]


async def test_a_long_replay_comes_in_parts(world: World) -> None:
    """Over its bound attach answers `more`; attached again with the cursors now held, the client has it all."""
    world.agents.scripts["assistant"] = verbose
    call = await world.admitted()
    await world.engine(call)
    seq, parts = 1, 0
    while True:
        reply = await world.ask("attach", thread_id=call.thread, after={call.run: seq}, connection="a2")
        parts += 1
        seq = world.sockets.events("a2")[-1]["seq"]
        assert reply["runs"][0]["seq"] == seq
        if not reply["more"]:
            break
    assert parts == 2
    assert world.sockets.events("a2") == world.log(call.run)[1:]


async def test_a_client_that_missed_many_runs_gets_them_all(world: World) -> None:
    """Where more runs were missed than one attach looks at, `more` leads on from what came."""
    call = await world.admitted("0")
    await world.engine(call)
    for number in range(1, 24):
        await asyncio.sleep(3)
        await world.engine(await world.admitted(str(number), thread_id=call.thread))
    after, attaches = {call.run: 1}, 0
    while attaches < 10:
        reply = await world.ask("attach", thread_id=call.thread, after=after, connection="a2")
        attaches += 1
        newest = reply["runs"][-1]
        after = {newest["run_id"]: newest["seq"]}
        if not reply["more"]:
            break
    seen = {(event["run_id"], event["seq"]) for event in world.sockets.events("a2")}
    runs = [each.run for each in world.invoker.calls]
    assert seen == {(run, e["seq"]) for run in runs for e in world.log(run)} - {(call.run, 1)}


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
        await world.ask("attach", thread_id=call.thread, connection="a2")
        while True:
            # The client's gap rule: what a later event or a heartbeat shows as missing is asked for by attaching anew.
            held = {event["seq"] for event in world.sockets.events("a2")}
            whole = next(seq for seq in range(1, 100) if seq not in held) - 1
            beats = [frame["last_seq"] for frame in world.sockets.received("a2", "agent_heartbeat")]
            if max([*held, *beats, 0]) > whole:
                after = {call.run: whole}
                await world.ask("attach", thread_id=call.thread, after=after, connection="a2")
            if engine.done():
                break
            await asyncio.sleep(0.1)
        held = {event["seq"] for event in world.sockets.events("a2")}
        if tenth < 20:
            assert held == {event["seq"] for event in world.log(call.run)}


async def test_a_detached_socket_is_sent_no_more(world: World) -> None:
    """After `detached`, events of the thread no longer come, and other sockets go on."""
    call = await world.admitted()
    await world.ask("attach", thread_id=call.thread, connection="a2")
    reply = await world.ask("detach", id="q", thread_id=call.thread)
    assert reply == {"type": "detached", "id": "q", "thread_id": call.thread}
    before = len(world.sockets.frames["a1"])
    await world.engine(call)
    assert len(world.sockets.frames["a1"]) == before
    assert world.sockets.events("a2") == world.log(call.run)
    assert {row.connection for row in world.rows(AttachedRow)} == {"a2"}


async def test_detaching_what_is_not_attached_is_no_error(world: World) -> None:
    """`detach` of any thread answers `detached`, and so tells nothing of others' threads."""
    assert (await world.ask("detach", thread_id="t-nobody"))["type"] == "detached"


async def test_a_replay_is_bounded_in_events(world: World) -> None:
    """An attach posts 300 events at most, says `more`, and goes on where it stopped when asked again."""

    async def chatty(turn: Turn) -> AsyncIterator[AgentEvent]:
        for step in range(1, REPLAY_EVENTS + 50):
            yield Thinking("…", step)
        yield Answered("Done.")

    world.agents.scripts["assistant"] = chatty
    call = await world.admitted()
    await world.engine(call)
    log = world.log(call.run)
    first = await world.ask("attach", connection="b1", thread_id=call.thread, after={call.run: 0})
    assert (first["more"], len(world.sockets.events("b1"))) == (True, REPLAY_EVENTS)
    assert first["runs"] == [{"run_id": call.run, "status": "completed", "seq": REPLAY_EVENTS}]
    second = await world.ask("attach", connection="b1", thread_id=call.thread, after={call.run: REPLAY_EVENTS})
    assert second["more"] is False
    assert world.sockets.events("b1") == log


@pytest.mark.parametrize(("over", "sent"), [(0, 3), (1, 2)])
async def test_a_replay_is_bounded_in_bytes_as_they_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, over: int, sent: int
) -> None:
    """A character that takes four bytes counts four; the event that comes to the bound is the last."""
    call = await world.admitted("😀" * 5000)
    await world.engine(call)
    await world.ask("attach", connection="b1", thread_id=call.thread, after={call.run: 0})
    first, second, *_ = (len(frame) for frame in world.sockets.frames["b1"])
    monkeypatch.setattr(attaching, "REPLAY_BYTES", first + second + 1 - over)
    reply = await world.ask("attach", connection="b2", thread_id=call.thread, after={call.run: 0})
    assert (len(world.sockets.events("b2")), reply["more"]) == (sent, True)


async def test_a_replay_to_a_caller_that_left_stops(world: World) -> None:
    """The first post that is answered with 410 is the last."""
    call = await world.admitted()
    await world.engine(call)
    world.sockets.gone.add("b1")
    frame = {"action": "attach", "id": "q", "thread_id": call.thread, "after": {call.run: 0}}
    await world.router.handle(caller(connection="b1"), json.dumps(frame))
    assert world.sockets.tried["b1"] <= 2  # one event, and the reply


class Stubborn(Sockets):
    """Does not take the post with this number to `b1`, from 1, nor, while `lasting`, any after it."""

    def __init__(self, number: int, error: Exception, *, lasting: bool) -> None:
        super().__init__()
        self._number = number
        self._error = error
        self._lasting = lasting

    async def post(self, connection: str, frame: bytes) -> None:
        if connection == "b1":
            number = self.tried[connection] + 1
            if number == self._number or (self._lasting and number > self._number and b'"attached"' not in frame):
                self.tried[connection] = number
                raise self._error
        await super().post(connection, frame)


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("error", [Unsettled("TooManyRequestsException"), PostRefused("forbidden")], ids=type)
@pytest.mark.parametrize("cursor", [0, 2, 3])
@pytest.mark.parametrize("number", [1, 2, 4])
async def test_a_replay_claims_nothing_that_could_not_be_sent(
    number: int, cursor: int, error: Exception, lasting: bool
) -> None:
    """The first post that is not taken is the last: `attached` says what the client holds, and that there is more.
    Attached again with that, it has it all."""
    world = World(sockets=Stubborn(number, error, lasting=lasting))
    call = await world.admitted()
    later = await world.queued(call)
    await world.serve()
    log = world.log(call.run)
    assert len(log) > cursor + number
    reply = await world.ask("attach", connection="b1", thread_id=call.thread, after={call.run: cursor})
    held = cursor + number - 1
    assert world.sockets.events("b1") == log[cursor:held]
    assert reply["runs"] == [{"run_id": call.run, "status": "completed", "seq": held}]
    assert reply["more"] is True
    world.sockets.tried["b1"] = -1000
    again = await world.ask("attach", connection="b1", thread_id=call.thread, after={call.run: held})
    assert again["more"] is False
    assert [run["run_id"] for run in again["runs"]] == [call.run, later]
    assert world.sockets.events("b1") == [*log[cursor:], *world.log(later)]


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
    late = asyncio.create_task(world.ask("run", connection="c1", text="Late", id="q-late", thread_id=first.thread))
    await asyncio.sleep(1)
    overtaking = await world.admitted("Early", thread_id=first.thread)
    await world.engine(overtaking)
    accepted = await late
    assert accepted["type"] == "accepted"
    assert accepted["run_id"] > overtaking.run
    reply = await world.ask("attach", connection="b1", thread_id=first.thread, after={overtaking.run: 99})
    assert [run["run_id"] for run in reply["runs"]] == [overtaking.run, accepted["run_id"]]


async def test_attach_tells_where_open_runs_stand(world: World) -> None:
    """A run that waits for its user, and those queued behind it with their places; each is replayed, also to a client
    that names nothing."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted()
    await world.serve()
    first, second = await world.queued(call), await world.queued(call, if_busy="enqueue")
    reply = await world.ask("attach", thread_id=call.thread, connection="a2")
    assert reply["runs"] == [
        {"run_id": call.run, "status": "waiting", "seq": len(world.log(call.run))},
        {"run_id": first, "status": "queued", "seq": 1, "position": 1},
        {"run_id": second, "status": "queued", "seq": 1, "position": 2},
    ]
    assert world.sockets.events("a2") == [*world.log(call.run), *world.log(first), *world.log(second)]
    again = await world.ask("attach", thread_id=call.thread, after={call.run: 4, first: 1}, connection="a3")
    assert again["runs"] == reply["runs"]
    assert world.sockets.events("a3") == [*world.log(call.run)[4:], *world.log(second)]


async def test_a_resumed_run_is_replayed_whole(world: World) -> None:
    """Over all its attempts, what is void included: the client drops that by `discard_after`."""
    call = await world.killed(silent)
    await world.notice(call)
    world.agents.scripts["assistant"] = Programme(Round("The end."))
    await world.serve()
    reply = await world.ask("attach", thread_id=call.thread, after={call.run: 0}, connection="a2")
    assert [run["status"] for run in reply["runs"]] == ["completed"]
    assert world.sockets.events("a2") == world.log(call.run)


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
        runs = [call.run, *[await world.queued(call) for _ in range(2)]]
        serving = asyncio.create_task(world.serve())
        await asyncio.sleep(moment * 0.05)
        for _ in range(moment % 7):
            await asyncio.sleep(0)
        reply = await world.ask("attach", thread_id=call.thread, connection="a2")
        await serving
        open_then = {run["run_id"] for run in reply["runs"]}
        lengths.add(len(open_then))
        for run in runs:
            seen = {frame["seq"]: frame for frame in world.sockets.events("a2") if frame["run_id"] == run}
            assert [seen[seq] for seq in sorted(seen)] == (world.log(run) if run in open_then else [])
    assert lengths == {0, 1, 2, 3}


@pytest.mark.parametrize(("ended", "more"), [(REPLAY_RUNS, False), (REPLAY_RUNS + 1, True)])
async def test_open_runs_do_not_count_against_the_bound_of_runs(world: World, ended: int, more: bool) -> None:
    """A replay goes over so many runs that have ended, and over all that have not; there is more where one more has
    ended, and not because many wait."""
    first = await many_ended(world, ended)
    waiting = [
        (await world.ask("run", text="x", thread_id=first["thread_id"]))["run_id"] for _ in range(QUEUE_LENGTH + 1)
    ]
    reply = await world.ask("attach", thread_id=first["thread_id"], after={first["run_id"]: 0}, connection="a2")
    assert reply["more"] is more
    assert [each["run_id"] for each in reply["runs"]][-len(waiting) :] == waiting
    assert len(reply["runs"]) == REPLAY_RUNS + len(waiting)


async def test_a_refused_attach_attaches_nothing(world: World) -> None:
    """A cursor of a run that is nowhere, in another thread, or another user's is `run_not_found`, and the connection is
    sent nothing from then on."""
    call, other = await world.admitted(), await world.admitted()
    foreign = await world.admitted(user="u-bob", connection="b1")
    for run in ("r-none", other.run, foreign.run):
        after = {call.run: 0, run: 0}
        reply = await world.ask("attach", connection="a2", thread_id=call.thread, after=after)
        assert (reply["type"], reply["code"]) == ("error", "run_not_found")
    await world.engine(call)
    assert world.sockets.events("a2") == []
    assert "a2" not in {row.connection for row in world.rows(AttachedRow)}


async def test_a_refused_attach_does_not_detach(world: World) -> None:
    """What an earlier `attach` of the same connection has attached goes on."""
    call = await world.admitted()
    await world.ask("attach", connection="a2", thread_id=call.thread)
    reply = await world.ask("attach", connection="a2", thread_id=call.thread, after={"r-none": 0})
    assert reply["code"] == "run_not_found"
    await world.engine(call)
    assert world.sockets.events("a2") == world.log(call.run)


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
    await world.ask("forget", thread_id=mine.thread)
    for thread in ("t-none", call.thread, mine.thread):
        reply = await world.ask("attach", connection="a2", thread_id=thread, after=after)
        assert (reply["type"], reply["code"]) == ("error", "thread_not_found")
    assert "a2" not in {row.connection for row in world.rows(AttachedRow)}


async def test_a_cursor_of_a_run_that_has_just_come_in_is_known(world: World) -> None:
    """From `accepted` on, whatever becomes of the run, it can be named."""
    call = await world.admitted()
    queued = await world.queued(call)
    await world.ask("cancel", run_id=queued)
    reply = await world.ask("attach", connection="a2", thread_id=call.thread, after={call.run: 1, queued: 2})
    assert [run["run_id"] for run in reply["runs"]] == [call.run, queued]


class Holder:
    """A client that holds on to all of a thread that it was ever sent."""

    def __init__(self, world: World, thread: str, connection: str = "b1") -> None:
        self._world = world
        self._thread = thread
        self._connection = connection
        self.held: dict[str, int] = {}

    async def attach(self, after: dict[str, int] | None = None) -> JsonObject:
        """Attaches with all its cursors, unless some are given, and takes what comes."""
        world, connection = self._world, self._connection
        before = len(world.sockets.events(connection))
        cursors = self.held if after is None else after
        reply = await world.ask("attach", connection=connection, thread_id=self._thread, after=cursors)
        for event in world.sockets.events(connection)[before:]:
            assert event["seq"] == self.held.get(event["run_id"], 0) + 1, "sent again"
            self.held[event["run_id"]] = event["seq"]
        return reply


async def test_a_client_that_names_all_that_it_holds_gets_on(world: World) -> None:
    """However many ended runs it names whole, each attach brings the next so many, once, and the last says so."""
    first = await many_ended(world, 2 * REPLAY_RUNS + 5)
    runs = [row.run for row in world.rows(RunRow)]
    client = Holder(world, first["thread_id"])
    replies = [await client.attach({runs[0]: 0}), *[await client.attach() for _ in range(3)]]
    assert [reply["more"] for reply in replies] == [True, True, False, False]
    assert [len(reply["runs"]) for reply in replies] == [REPLAY_RUNS, 2 * REPLAY_RUNS, len(runs), len(runs)]
    assert client.held == {run: len(world.log(run)) for run in runs}
    assert {(run["run_id"], run["seq"]) for run in replies[-1]["runs"]} == set(client.held.items())


@pytest.mark.parametrize(("parts", "more"), [(REPLAY_RUNS, False), (REPLAY_RUNS + 1, True)])
async def test_runs_that_are_held_in_part_count_against_the_bound_of_runs(world: World, parts: int, more: bool) -> None:
    """Both sides of it, before and between others that are held whole."""
    first = await many_ended(world, 2 * parts)
    runs = [row.run for row in world.rows(RunRow)]
    client = Holder(world, first["thread_id"])
    client.held = {run: len(world.log(run)) for run in runs}
    client.held |= dict.fromkeys(runs[1 : 2 * parts : 2], 1)
    reply = await client.attach()
    assert reply["more"] is more
    assert [client.held[run] < len(world.log(run)) for run in runs].count(True) == int(more)
    assert (await client.attach())["more"] is False


async def test_a_client_that_holds_more_than_it_may_name_gets_on(world: World) -> None:
    """It names the newest of them, and is sent the runs that came since, once."""
    first = await many_ended(world, ATTACH_CURSORS + REPLAY_RUNS + 8)
    runs = [row.run for row in world.rows(RunRow)]
    client = Holder(world, first["thread_id"])
    client.held = {run: len(world.log(run)) for run in runs[: ATTACH_CURSORS + 5]}
    more = True
    while more:
        more = (await client.attach(dict(sorted(client.held.items())[-ATTACH_CURSORS:])))["more"]
    assert client.held == {run: len(world.log(run)) for run in runs}


async def test_the_longest_attached_fits_into_a_frame(world: World) -> None:
    """The most cursors, as many runs again as a replay goes over, and a full queue behind an active run."""
    first = await many_ended(world, ATTACH_CURSORS + REPLAY_RUNS)
    runs = [row.run for row in world.rows(RunRow)]
    for _ in range(QUEUE_LENGTH + 1):
        await asyncio.sleep(1.1)
        await world.ask("run", text="x", thread_id=first["thread_id"])
    after = {run: len(world.log(run)) for run in runs[:ATTACH_CURSORS]}
    reply = await world.ask("attach", connection="b1", id="q" * 64, thread_id=first["thread_id"], after=after)
    assert (len(reply["runs"]), reply["more"]) == (ATTACH_CURSORS + REPLAY_RUNS + QUEUE_LENGTH + 1, False)
    assert len(world.sockets.frames["b1"][-1]) < FRAME_BYTES / 2
