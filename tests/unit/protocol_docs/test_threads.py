"""What docs/protocol.md claims about titles, forgetting and `thread_changed`, held against router and recovery."""

import asyncio
from typing import Any

import pytest

from tests.fakes.agents import silent
from tests.fakes.sockets import JsonObject
from tests.fakes.world import World, assert_ended_once


def told(world: World, connection: str = "b1") -> list[JsonObject]:
    """The list entries that a connection was told."""
    return [frame["thread"] for frame in world.sockets.received(connection, "thread_changed")]


async def test_a_title_is_the_first_message_until_it_is_renamed(world: World) -> None:
    """A thread is listed under its first message, then under its title."""
    call = await world.admitted("What is\n17 * 23?")
    assert (await world.ask("threads"))["items"][0]["title"] == "What is 17 * 23?"
    reply = await world.ask("rename", thread_id=call.thread_id, title="Multiplying")
    assert (reply["type"], reply["title"]) == ("renamed", "Multiplying")
    assert (await world.ask("threads"))["items"][0]["title"] == "Multiplying"


async def test_every_connection_is_told_of_a_changed_list(world: World) -> None:
    """A connection that is attached to nothing is told of threads that are new, renamed, forgotten, or whose queue has
    moved, not of a run's beginning and end; each time with a higher version, and with the entry that `threads` has."""
    await world.connect("b1")
    call = await world.admitted()
    assert [(entry["active_run"], entry["queue"]) for entry in told(world)] == [(call.run_id, [])]
    waiting = await world.queued(call)
    assert told(world)[-1]["queue"] == [waiting]
    await world.serve()
    moved = told(world)[-1]
    assert (moved["active_run"], moved["queue"]) == (waiting, [])
    assert len(told(world)) == 3
    await world.ask("rename", thread_id=call.thread_id, title="Multiplying")
    assert [told(world)[-1]] == (await world.ask("threads"))["items"]
    await world.ask("forget", thread_id=call.thread_id)
    assert [entry["state"] for entry in told(world)] == ["live"] * 4 + ["forgotten"]
    versions = [entry["version"] for entry in told(world)]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("run", {"text": "hello"}, "thread_not_found"),
        ("attach", {}, "thread_not_found"),
        ("history", {}, "thread_not_found"),
        ("rename", {"title": "x"}, "thread_not_found"),
        ("cancel", {"run_id": None}, "run_not_found"),
        ("approve", {"run_id": None, "tool_call_id": "c-1", "approved": True}, "run_not_found"),
    ],
)
async def test_a_forgotten_thread_is_refused(world: World, action: str, fields: dict[str, Any], code: str) -> None:
    """From `forgotten` on the thread's name and its runs' are unknown, and it stands in no list."""
    call = await world.admitted()
    assert (await world.ask("forget", thread_id=call.thread_id))["type"] == "forgotten"
    names = {"run_id": call.run_id} if "run_id" in fields else {"thread_id": call.thread_id}
    assert (await world.ask(action, **{**fields, **names}))["code"] == code
    assert (await world.ask("threads"))["items"] == []


async def test_forgetting_ends_all_runs(world: World) -> None:
    """The run under way and those that wait end, and who is attached is sent their ends."""
    world.agents.scripts["assistant"] = silent
    call = await world.admitted()
    engine = world.starts(call)
    await asyncio.sleep(1)
    waiting = await world.queued(call)
    await world.ask("attach", thread_id=call.thread_id, connection="b1")
    await world.ask("forget", thread_id=call.thread_id)
    await engine
    for run in (call.run_id, waiting):
        assert assert_ended_once(world, run, connection="b1") == "agent_cancelled"


async def test_a_forgotten_thread_is_gone_within_the_hour(world: World) -> None:
    """Forgetting again is answered in the same way until the data is gone, which is within the hour; then the thread is
    unknown, and no row holds its name."""
    call = await world.admitted()
    await world.serve()
    await world.ask("forget", thread_id=call.thread_id)
    assert (await world.ask("forget", thread_id=call.thread_id))["type"] == "forgotten"
    for _ in range(60):
        await asyncio.sleep(60)
        await world.sweep()
    assert (await world.ask("forget", thread_id=call.thread_id))["code"] == "thread_not_found"
    kept = {
        type(row).__name__ for row in world.memory.rows.values() if getattr(row, "thread_id", None) == call.thread_id
    }
    assert kept <= {"RequestRow"}
