"""Any number of devices, at any time, end with the same view."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from tests.live.kit.chat import Chat
from tests.live.kit.reducer import viewed

STORY = "tell me a long story, slowly"


async def test_a_second_device_sees_message_and_answer(chat: Callable[[], Chat]) -> None:
    """A device that is attached to the thread sees what the user says on another one, and the answer, live."""
    async with chat() as phone, chat() as laptop:
        first = await phone.ask("run", text="What is 1 + 1?")
        await phone.end_of(first["run_id"])
        attached = await laptop.ask("attach", thread_id=first["thread_id"])
        assert attached["type"] == "attached"
        second = await phone.ask("run", text="What is 5 * 5?", thread_id=first["thread_id"])
        end = await laptop.end_of(second["run_id"])
        assert "25" in end["payload"]["result"]
        await phone.end_of(second["run_id"])
        assert laptop.events(second["run_id"])[0]["payload"]["text"] == "What is 5 * 5?"
        assert laptop.events(second["run_id"]) == phone.events(second["run_id"])


async def test_a_lost_socket_misses_nothing(chat: Callable[[], Chat]) -> None:
    """A client that loses its socket in mid-stream attaches with its cursor and ends with the whole text."""
    async with chat() as before:
        run = await before.ask("run", text=STORY)
        await before.until(lambda frame: frame.get("seq", 0) >= 6)
    held = before.events(run["run_id"])
    await asyncio.sleep(1)
    async with chat() as after:
        cursor = {run["run_id"]: held[-1]["seq"]}
        attached = await after.ask("attach", thread_id=run["thread_id"], after=cursor)
        assert attached["runs"][0]["status"] == "running"
        whole = held + await after.follow(run["run_id"], run["thread_id"], held=held[-1]["seq"])
        end = whole[-1]
        assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))
        assert viewed(whole).said() == end["payload"]["result"]


async def test_a_late_device_reads_every_cut_of_an_ended_run(chat: Callable[[], Chat]) -> None:
    """From each possible cursor, inside a batch or not, attach replays exactly the events after it."""
    async with chat() as client:
        run = await client.ask("run", text="What is 17 * 23?")
        last = (await client.end_of(run["run_id"]))["seq"]
        whole = client.events(run["run_id"])
        for cursor in range(last + 1):
            async with chat() as late:
                attached = await late.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: cursor})
                assert late.events(run["run_id"]) == whole[cursor:]
                assert attached["runs"] == [{"run_id": run["run_id"], "status": "completed", "seq": last}]


async def test_detach_ends_the_watching(chat: Callable[[], Chat]) -> None:
    """A detached device sees nothing of the next run."""
    async with chat() as phone, chat() as laptop:
        first = await phone.ask("run", text="What is 1 + 1?")
        await phone.end_of(first["run_id"])
        await laptop.ask("attach", thread_id=first["thread_id"])
        assert (await laptop.ask("detach", thread_id=first["thread_id"]))["type"] == "detached"
        second = await phone.ask("run", text="What is 2 + 2?", thread_id=first["thread_id"])
        await phone.end_of(second["run_id"])
        assert laptop.events(second["run_id"]) == []


async def test_devices_that_join_in_mid_stream_miss_nothing(chat: Callable[[], Chat]) -> None:
    """Sockets that attach at any moment of a stream go from replay to live without a gap, with no second attach."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(chat())
        run = await first.ask("run", text=STORY)
        await first.until(lambda frame: frame["type"] == "agent_delta")
        joined = [first]
        for _ in range(6):
            await asyncio.sleep(0.37)
            device = await stack.enter_async_context(chat())
            await device.ask("attach", thread_id=run["thread_id"])
            joined.append(device)
        last = (await first.end_of(run["run_id"]))["seq"]
        for device in joined:
            await device.end_of(run["run_id"])
            assert [event["seq"] for event in device.events(run["run_id"])] == list(range(1, last + 1))
