"""Renaming a thread."""

import asyncio

import pytest

from dayfly.runs.invoker import EngineCall
from tests.fakes.faulty_table import Fault, Halt
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once


async def test_a_thread_has_the_title_that_it_was_given(world: World) -> None:
    """The reply, the list and every socket of the user tell it; when the thread was last used does not change."""
    await world.connect("a2")
    call = await world.admitted("Hello")
    await asyncio.sleep(5)
    reply = await world.ask("rename", id="q-r", thread_id=call.thread_id, title="Täglich 🚀")
    assert reply == {"type": "renamed", "id": "q-r", "thread_id": call.thread_id, "title": "Täglich 🚀"}
    (item,) = (await world.ask("threads"))["items"]
    assert (item["title"], item["updated_at"]) == ("Täglich 🚀", "2025-11-24T16:00:00.000Z")
    assert world.sockets.received("a2", "thread_changed")[-1]["thread"] == item


async def test_a_title_of_white_space_alone_is_refused(world: World) -> None:
    """The thread keeps the title that it has; white space around a word is taken as it is."""
    call = await world.admitted("Hello")
    for blank in ("", "  ", "\t\n", "\u3000"):
        reply = await world.ask("rename", thread_id=call.thread_id, title=blank)
        assert (reply["type"], reply["code"]) == ("error", "invalid_message")
        assert world.thread(call.thread_id).title == "Hello"
    assert (await world.ask("rename", thread_id=call.thread_id, title=" a "))["title"] == " a "


async def test_a_run_goes_on_under_the_new_title(world: World) -> None:
    """Neither the run nor the queue of a renamed thread is touched, nor is the title by their ends."""
    call = await world.admitted()
    run = await world.queued(call)
    await world.ask("rename", thread_id=call.thread_id, title="Mine")
    await world.serve()
    for each in (call.run_id, run):
        assert assert_ended_once(world, each) == "agent_completed"
    assert world.thread(call.thread_id).title == "Mine"


async def test_a_rename_and_the_end_of_a_run_at_once() -> None:
    """Whenever during a run the thread is renamed, neither the title nor the end is lost."""

    async def begin(world: World) -> tuple[EngineCall, str]:
        call = await world.admitted(agent="echo")
        return call, await world.queued(call)

    async def check(world: World, scene: tuple[EngineCall, str]) -> None:
        call, run = scene
        thread = world.thread(call.thread_id)
        assert (thread.title, thread.active_run, thread.queue) == ("Mine", run, ())
        assert assert_ended_once(world, call.run_id) == "agent_completed"

    calls = await meet(
        begin=begin,
        one=lambda world, scene: world.engine(scene[0]),
        other=lambda world, scene: world.ask("rename", thread_id=scene[0].thread_id, title="Mine", connection="a2"),
        check=check,
    )
    assert calls >= 10


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail_in_a_rename(way: Fault | Halt) -> None:
    """Whichever one call of the table fails, or wherever its router dies: sent again, the thread has its title."""

    async def begin(world: World) -> EngineCall:
        await world.connect("a2")
        return await world.admitted()

    async def act(world: World, call: EngineCall) -> None:
        reply = await world.ask("rename", thread_id=call.thread_id, title="Mine")
        assert reply["type"] == "renamed" or reply["code"] == "unavailable"

    async def check(world: World, call: EngineCall) -> None:
        assert (await world.ask("rename", thread_id=call.thread_id, title="Mine"))["type"] == "renamed"
        assert world.thread(call.thread_id).title == "Mine"
        await world.recover()
        assert assert_ended_once(world, call.run_id) == "agent_completed"

    assert await walk(way, begin=begin, act=act, check=check) >= 3
