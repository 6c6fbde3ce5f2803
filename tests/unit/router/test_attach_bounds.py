"""How much one `attach` replays, and how a client comes to the end of it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Thinking, Turn
from dayfly.errors import PostRefused, Unsettled
from dayfly.protocol.limits import ATTACH_CURSORS, FRAME_BYTES
from dayfly.router import attach
from dayfly.router.attach import REPLAY_EVENTS, REPLAY_RUNS
from dayfly.store.rows import QUEUE_LENGTH, RunRow
from tests.fakes.sockets import JsonObject, Sockets
from tests.fakes.world import World, caller
from tests.unit.router.support import many_ended


async def verbose(turn: Turn) -> AsyncIterator[AgentEvent]:
    """Fills 400 KB of log with text."""
    for step in range(1, 41):
        yield Thinking(f"Step {step}.", step)
        yield Delta(f"{step:05d}" * 2000)
    yield Answered("Done.")


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


async def test_a_long_replay_comes_in_parts(world: World) -> None:
    """Over its bound attach answers `more`; attached again with the cursors now held, the client has it all."""
    world.agents.scripts["assistant"] = verbose
    call = await world.admitted()
    await world.engine(call)
    seq, parts = 1, 0
    while True:
        reply = await world.ask("attach", thread_id=call.thread_id, after={call.run_id: seq}, connection="a2")
        parts += 1
        seq = world.sockets.events("a2")[-1]["seq"]
        assert reply["runs"][0]["seq"] == seq
        if not reply["more"]:
            break
    assert parts == 2
    assert world.sockets.events("a2") == world.log(call.run_id)[1:]


async def test_a_client_that_missed_many_runs_gets_them_all(world: World) -> None:
    """Where more runs were missed than one attach looks at, `more` leads on from what came."""
    call = await world.admitted("0")
    await world.engine(call)
    for number in range(1, 24):
        await asyncio.sleep(3)
        await world.engine(await world.admitted(str(number), thread_id=call.thread_id))
    after, attaches = {call.run_id: 1}, 0
    while attaches < 10:
        reply = await world.ask("attach", thread_id=call.thread_id, after=after, connection="a2")
        attaches += 1
        newest = reply["runs"][-1]
        after = {newest["run_id"]: newest["seq"]}
        if not reply["more"]:
            break
    seen = {(event["run_id"], event["seq"]) for event in world.sockets.events("a2")}
    runs = [each.run_id for each in world.invoker.calls]
    assert seen == {(run, e["seq"]) for run in runs for e in world.log(run)} - {(call.run_id, 1)}


async def test_a_replay_is_bounded_in_events(world: World) -> None:
    """An attach posts 300 events at most, says `more`, and goes on where it stopped when asked again."""

    async def chatty(turn: Turn) -> AsyncIterator[AgentEvent]:
        for step in range(1, REPLAY_EVENTS + 50):
            yield Thinking("…", step)
        yield Answered("Done.")

    world.agents.scripts["assistant"] = chatty
    call = await world.admitted()
    await world.engine(call)
    log = world.log(call.run_id)
    first = await world.ask("attach", connection="b1", thread_id=call.thread_id, after={call.run_id: 0})
    assert (first["more"], len(world.sockets.events("b1"))) == (True, REPLAY_EVENTS)
    assert first["runs"] == [{"run_id": call.run_id, "status": "completed", "seq": REPLAY_EVENTS}]
    second = await world.ask("attach", connection="b1", thread_id=call.thread_id, after={call.run_id: REPLAY_EVENTS})
    assert second["more"] is False
    assert world.sockets.events("b1") == log


@pytest.mark.parametrize(("over", "sent"), [(0, 3), (1, 2)])
async def test_a_replay_is_bounded_in_bytes_as_they_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, over: int, sent: int
) -> None:
    """A character that takes four bytes counts four; the event that comes to the bound is the last."""
    call = await world.admitted("😀" * 5000)
    await world.engine(call)
    await world.ask("attach", connection="b1", thread_id=call.thread_id, after={call.run_id: 0})
    first, second, *_ = (len(frame) for frame in world.sockets.frames["b1"])
    monkeypatch.setattr(attach, "REPLAY_BYTES", first + second + 1 - over)
    reply = await world.ask("attach", connection="b2", thread_id=call.thread_id, after={call.run_id: 0})
    assert (len(world.sockets.events("b2")), reply["more"]) == (sent, True)


async def test_a_replay_to_a_caller_that_left_stops(world: World) -> None:
    """The first post that is answered with 410 is the last."""
    call = await world.admitted()
    await world.engine(call)
    world.sockets.gone.add("b1")
    frame = {"action": "attach", "id": "q", "thread_id": call.thread_id, "after": {call.run_id: 0}}
    await world.router.handle(caller(connection="b1"), json.dumps(frame))
    assert world.sockets.tried["b1"] <= 2  # one event, and the reply


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
    log = world.log(call.run_id)
    assert len(log) > cursor + number
    reply = await world.ask("attach", connection="b1", thread_id=call.thread_id, after={call.run_id: cursor})
    held = cursor + number - 1
    assert world.sockets.events("b1") == log[cursor:held]
    assert reply["runs"] == [{"run_id": call.run_id, "status": "completed", "seq": held}]
    assert reply["more"] is True
    world.sockets.tried["b1"] = -1000
    again = await world.ask("attach", connection="b1", thread_id=call.thread_id, after={call.run_id: held})
    assert again["more"] is False
    assert [run["run_id"] for run in again["runs"]] == [call.run_id, later]
    assert world.sockets.events("b1") == [*log[cursor:], *world.log(later)]


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


async def test_a_client_that_names_all_that_it_holds_gets_on(world: World) -> None:
    """However many ended runs it names whole, each attach brings the next so many, once, and the last says so."""
    first = await many_ended(world, 2 * REPLAY_RUNS + 5)
    runs = [row.run_id for row in world.rows(RunRow)]
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
    runs = [row.run_id for row in world.rows(RunRow)]
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
    runs = [row.run_id for row in world.rows(RunRow)]
    client = Holder(world, first["thread_id"])
    client.held = {run: len(world.log(run)) for run in runs[: ATTACH_CURSORS + 5]}
    more = True
    while more:
        more = (await client.attach(dict(sorted(client.held.items())[-ATTACH_CURSORS:])))["more"]
    assert client.held == {run: len(world.log(run)) for run in runs}


async def test_the_longest_attached_fits_into_a_frame(world: World) -> None:
    """The most cursors, as many runs again as a replay goes over, and a full queue behind an active run."""
    first = await many_ended(world, ATTACH_CURSORS + REPLAY_RUNS)
    runs = [row.run_id for row in world.rows(RunRow)]
    for _ in range(QUEUE_LENGTH + 1):
        await asyncio.sleep(1.1)
        await world.ask("run", text="x", thread_id=first["thread_id"])
    after = {run: len(world.log(run)) for run in runs[:ATTACH_CURSORS]}
    reply = await world.ask("attach", connection="b1", id="q" * 64, thread_id=first["thread_id"], after=after)
    assert (len(reply["runs"]), reply["more"]) == (ATTACH_CURSORS + REPLAY_RUNS + QUEUE_LENGTH + 1, False)
    assert len(world.sockets.frames["b1"][-1]) < FRAME_BYTES / 2
