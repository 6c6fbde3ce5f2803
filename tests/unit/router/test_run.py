"""Letting runs in: once each, within bounds, durable."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from dayfly.errors import PortError
from dayfly.metrics import Metric
from dayfly.runs import quotas
from dayfly.store.keys import LEASE_SHARDS, lease_shard
from dayfly.store.rows import AttachedRow, LeaseRow, LogRow, QuotaRow, RequestRow, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Action, Put
from tests.fakes.faulty_table import Call, Fault
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World


def run_frame(request: str = "q-1", text: str = "Hi", **fields: Any) -> JsonObject:
    return {"action": "run", "id": request, "text": text, **fields}


async def test_a_run_is_accepted(world: World) -> None:
    """`accepted` names run and thread; the sender is sent its own message as seq 1; an engine is invoked for it."""
    reply = await world.send(run_frame())
    (call,) = world.invoker.calls
    assert reply == {
        "type": "accepted",
        "id": "q-1",
        "run_id": call.run_id,
        "thread_id": call.thread_id,
        "status": "running",
        "duplicate": False,
    }
    (event,) = world.sockets.events("a1")
    assert (event["type"], event["seq"], event["payload"]) == ("user_message", 1, {"text": "Hi", "request_id": "q-1"})
    assert (call.user_id, call.attempt, call.first_seq, call.agent_name) == ("u-alice", 1, 2, "assistant")


async def test_admission_is_one_write(world: World) -> None:
    """Run, thread, log, lease, quota, request and attachment come into the table by one transaction."""
    await world.send(run_frame())
    (write,) = [call for call in world.table.calls if call.method == "write"]
    assert {type(action.row) for action in write.actions if isinstance(action, Put)} == {
        LogRow,
        RequestRow,
        ThreadRow,
        RunRow,
        LeaseRow,
        QuotaRow,
        AttachedRow,
    }


@pytest.mark.parametrize(("thread", "told"), [("new", True), ("busy", True), ("idle", False)])
async def test_a_user_is_told_of_a_thread_that_changes(world: World, thread: str, told: bool) -> None:
    """A thread that is new, or has a longer queue, is announced to all of the user's sockets at once; an idle one that
    takes a message is announced when its run ends."""
    await world.connect("a2")
    fields: JsonObject = {}
    if thread != "new":
        call = await world.admitted(agent="echo")
        fields = {"thread_id": call.thread_id}
        if thread == "idle":
            await world.engine(call)
    before = len(world.sockets.frames["a2"])
    reply = await world.send(run_frame("q-9", **fields))
    frames = [json.loads(frame) for frame in world.sockets.frames["a2"][before:]]
    changed = [frame["thread"] for frame in frames if frame["type"] == "thread_changed"]
    assert [item["thread_id"] for item in changed] == [reply["thread_id"]] * told
    assert all(reply["run_id"] in (item.get("active_run"), *item["queue"]) for item in changed)


async def test_the_thread_is_named_after_its_first_message(world: World) -> None:
    """A new thread's title is the first 60 characters of its message, spaces joined."""
    reply = await world.send(run_frame(text="a \n\t b " + "é" * 100))
    assert world.thread(reply["thread_id"]).title == "a b " + "é" * 56


async def test_the_same_id_again_is_the_same_run(world: World) -> None:
    """Sent again, a `run` answers with the original run, its present status and `duplicate`; nothing runs twice."""
    first = await world.send(run_frame())
    await world.engine(world.invoker.calls[0])
    again = await world.send(run_frame(), connection="a2")
    assert again == {**first, "status": "completed", "duplicate": True}
    assert len(world.invoker.calls) == 1
    assert len(world.rows(RunRow)) == 1
    assert {row.connection_id for row in world.rows(AttachedRow)} == {"a1", "a2"}


async def test_the_same_id_again_before_an_engine_has_begun_invokes_again(world: World) -> None:
    """A repeat of a run that no engine has begun asks for an engine again, for the same run and seq."""
    await world.send(run_frame())
    await world.send(run_frame())
    assert len(world.invoker.calls) == 2
    assert world.invoker.calls[0] == world.invoker.calls[1]


async def test_twenty_at_once_with_one_id_are_one_run(world: World) -> None:
    """Of twenty equal frames at once, one admits a run and all are answered with it."""
    await asyncio.gather(*(world.send(run_frame(), connection=f"c{n}") for n in range(20)))
    replies = [world.sockets.received(f"c{n}", "accepted")[0] for n in range(20)]
    assert len({reply["run_id"] for reply in replies}) == 1
    assert [reply["duplicate"] for reply in replies].count(False) == 1
    assert len(world.rows(RunRow)) == len(world.rows(ThreadRow)) == len(world.leases()) == 1
    assert world.meter.total(Metric.RUNS_ADMITTED) == 1
    (quota,) = world.rows(QuotaRow)
    assert len(quota.active) == 1


async def test_an_id_used_while_admission_is_built_anew_is_not_used_twice(world: World) -> None:
    """Where the quota moves and the id is admitted by another between two tries, the second try finds that run."""
    await world.admitted("Other.")
    other: list[JsonObject] = []

    class Rival:
        """Lets the first try fail on the quota alone, then admits the same id before the second."""

        def __init__(self) -> None:
            self.inner = world.table.inner
            self.left = 1

        async def write(self, *actions: Action, token: str | None = None) -> None:
            if self.left and len(actions) == 7:
                self.left -= 1
                (quota,) = world.rows(QuotaRow)
                world.memory._rows[quota.key] = replace(quota, version=quota.version + 1)
                try:
                    await self.inner.write(*actions, token=token)
                finally:
                    world.table.inner = self.inner
                    other.append(await world.send(run_frame("q-same"), connection="a2"))
            else:
                await self.inner.write(*actions, token=token)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    world.table.inner = Rival()
    reply = await world.send(run_frame("q-same"))
    assert reply["run_id"] == other[0]["run_id"]
    assert len(world.rows(RunRow)) == 2


@pytest.mark.parametrize("fields", [{"text": "Ho"}, {"agent": "echo"}, {"if_busy": "reject"}, {"thread_id": "t-x"}])
async def test_an_id_with_other_content_is_reused(world: World, fields: JsonObject) -> None:
    """The same id with another text, agent, thread or `if_busy` is `id_reused`."""
    await world.send(run_frame())
    reply = await world.send({**run_frame(), **fields})
    assert (reply["type"], reply["id"], reply["code"]) == ("error", "q-1", "id_reused")
    assert len(world.rows(RunRow)) == 1


@pytest.mark.parametrize("sent_first", [0, 1, 2])
@pytest.mark.parametrize("sent_again", [0, 1, 2])
async def test_content_is_the_same_however_the_default_is_said(world: World, sent_first: int, sent_again: int) -> None:
    """Optional fields left out, null, and `if_busy` as it is without: each is a repeat of each other."""
    left_out: JsonObject = {"thread_id": None, "agent": None}
    ways: list[JsonObject] = [{}, {**left_out, "if_busy": None}, {**left_out, "if_busy": "enqueue"}]
    first = await world.send(run_frame(**ways[sent_first]))
    again = await world.send(run_frame(**ways[sent_again]))
    assert (again["run_id"], again["duplicate"]) == (first["run_id"], True)


async def test_ids_of_two_users_do_not_meet(world: World) -> None:
    """The same id of another user is another run."""
    first = await world.send(run_frame())
    second = await world.send(run_frame(text="Ho"), user="u-bob", connection="b1")
    assert second["type"] == "accepted"
    assert second["run_id"] != first["run_id"]


async def test_an_id_is_free_again_after_a_day(world: World) -> None:
    """24 hours later the same id with other content is a new run, though TTL has not removed the row."""
    await world.send(run_frame())
    await world.engine(world.invoker.calls[0])
    await asyncio.sleep(24 * 3600 - 1)
    assert (await world.send(run_frame(text="Ho")))["code"] == "id_reused"
    await asyncio.sleep(1)
    reply = await world.send(run_frame(text="Ho"))
    assert (reply["type"], reply["duplicate"]) == ("accepted", False)


async def test_a_busy_thread_refuses(world: World) -> None:
    """A second message in a busy thread is refused as `busy`, retryable, and its id is not consumed."""
    call = await world.admitted()
    frame = run_frame("q-9", "More", thread_id=call.thread_id, if_busy="reject")
    refused = await world.send(frame)
    assert (refused["code"], refused["retryable"]) == ("busy", True)
    await world.engine(call)
    assert (await world.send(frame))["type"] == "accepted"


@pytest.mark.parametrize("if_busy", ["enqueue", "reject", "interrupt"])
async def test_an_idle_thread_takes_the_message_whatever_if_busy_says(world: World, if_busy: str) -> None:
    """`if_busy` decides nothing where no run is under way."""
    call = await world.admitted()
    await world.engine(call)
    reply = await world.send(run_frame("q-9", thread_id=call.thread_id, if_busy=if_busy))
    assert (reply["type"], reply["status"]) == ("accepted", "running")
    assert "position" not in reply


async def test_two_messages_at_once_in_one_thread(world: World) -> None:
    """Of two messages at once in an idle thread one is admitted, the other finds it busy."""
    call = await world.admitted()
    await world.engine(call)
    frames = [run_frame(f"q-{n}", thread_id=call.thread_id, if_busy="reject") for n in range(100, 102)]
    replies = await asyncio.gather(*(world.send(f, connection=f"c{n}") for n, f in enumerate(frames)))
    assert sorted(reply.get("code", "accepted") for reply in replies) == ["accepted", "busy"]


async def test_the_quota_of_active_runs_on_both_sides(world: World) -> None:
    """The fortieth run under way is admitted, the next refused; after one ends, its id is taken."""
    assert quotas.ACTIVE_RUNS == 40
    calls = [await world.admitted() for _ in range(quotas.ACTIVE_RUNS)]
    refused = await world.send(run_frame("q-late"))
    assert (refused["code"], refused["retryable"]) == ("quota_exceeded", True)
    assert (await world.send(run_frame("q-b"), user="u-bob", connection="b1"))["type"] == "accepted"
    await world.engine(calls[3])
    assert (await world.send(run_frame("q-late")))["type"] == "accepted"


async def test_the_quota_of_a_window_on_both_sides(world: World) -> None:
    """The 60th run within a minute is admitted, the 61st refused until the minute is over."""
    for _ in range(quotas.WINDOW_RUNS):
        await world.ask("cancel", run_id=(await world.admitted()).run_id)
    assert (await world.send(run_frame("q-late")))["code"] == "quota_exceeded"
    (quota,) = world.rows(QuotaRow)
    await asyncio.sleep((quota.window_start + quotas.WINDOW_MS - 1 - world.clock.now_ms()) / 1000)
    assert (await world.send(run_frame("q-late")))["code"] == "quota_exceeded"
    await asyncio.sleep(0.001)
    assert (await world.send(run_frame("q-late")))["type"] == "accepted"


async def test_a_forgotten_thread_is_not_found(world: World) -> None:
    """A thread that is marked forgotten takes no message."""
    call = await world.admitted()
    await world.engine(call)
    row = world.thread(call.thread_id)
    world.memory._rows[row.key] = replace(row, state=ThreadState.FORGOTTEN)
    assert (await world.send(run_frame("q-9", thread_id=call.thread_id)))["code"] == "thread_not_found"


async def test_a_lost_invocation_is_not_a_lost_run(world: World) -> None:
    """Where the engine cannot be invoked, the run is accepted all the same: recovery looks after it."""
    world.invoker.fail_with = PortError("throttled")
    reply = await world.send(run_frame())
    assert reply["type"] == "accepted"
    assert len(world.leases()) == 1


@pytest.mark.parametrize("fault", list(Fault))
async def test_any_one_call_may_fail(fault: Fault) -> None:
    """Whichever one call of the table fails during admission, the same frame sent until accepted is one run."""
    for number in range(10):
        world = World()
        world.table.fail_once(number, fault)
        reply = await world.send(run_frame())
        if reply["type"] == "error":
            assert (reply["code"], reply["retryable"]) == ("unavailable", True)
            reply = await world.send(run_frame())
        assert reply["type"] == "accepted"
        assert len(world.rows(RunRow)) == 1
        (quota,) = world.rows(QuotaRow)
        assert quota.active == (reply["run_id"],)
        assert len(world.invoker.calls) >= 1


async def test_nothing_is_decided_while_the_table_is_away(world: World) -> None:
    """A table that does not answer is `unavailable`, after the patience of one write and no later."""

    def down(call: Call) -> Fault | None:
        return Fault.REFUSED if call.method == "write" else None

    world.table.plan = down
    started = world.clock.monotonic()
    reply = await world.send(run_frame())
    assert reply["code"] == "unavailable"
    assert world.clock.monotonic() - started < 16
    assert world.memory.rows == {}


async def test_leases_spread_over_the_shards(world: World) -> None:
    """A run's lease stands in one of the shards that the sweep reads."""
    assert {lease_shard(f"r-{last}") for last in "0123456789abcdef"} == set(LEASE_SHARDS)
