"""Any device, at any time, reads what the log says."""

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.client import FRAME_BYTES, Frame
from tests.live.kit.device import Device
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.ledger import Ledger
from tests.live.kit.steps import SLOW, accepted, speaks, whole


@pytest.fixture
def ledger() -> Ledger:
    """What went wrong with devices."""
    return Ledger()


async def test_queued_runs_are_shown_in_their_order(chat: Callable[[], Chat]) -> None:
    """A device that attaches to a busy thread is shown the run under way and, as queued, those behind it."""
    async with chat() as phone, chat() as laptop:
        first = await accepted(phone, SLOW)
        queued = [await accepted(phone, f"What is {number} + 1?", thread_id=first["thread_id"]) for number in (1, 2, 3)]
        await speaks(phone, first)
        attached = await laptop.ask("attach", thread_id=first["thread_id"])
        runs = [first, *queued]
        assert [(run["run_id"], run["status"]) for run in attached["runs"]] == [
            (run["run_id"], "running" if run is first else "queued") for run in runs
        ]
        assert [laptop.events(run["run_id"])[0]["payload"]["text"] for run in queued] == [
            f"What is {number} + 1?" for number in (1, 2, 3)
        ]
        await phone.ask("cancel", run_id=first["run_id"])
        for run in runs:
            assert await whole(laptop, run) == await whole(phone, run)


async def test_a_phone_comes_back_after_the_run_ended(
    swept: EmulatorProcess, user: str, chat: Callable[[], Chat], ledger: Ledger
) -> None:
    """A device that was away while a run ended and another came and went ends with the view of one that stayed."""
    async with chat() as laptop, Device(swept.url, user, "phone", ledger, random.Random(1)) as phone:
        first = await accepted(laptop, "Tell me a story")
        phone.follow(first["thread_id"], runs=(first["run_id"],))
        seen = phone.threads[first["thread_id"]].run(first["run_id"])
        await phone.until(lambda: seen.held > 0, wait_s=20, what="the first event")
        phone.cut(2.5)
        await laptop.end_of(first["run_id"])
        second = await accepted(laptop, "What is 6 * 7?", thread_id=first["thread_id"])
        await laptop.end_of(second["run_id"])
        for run in (first, second):
            await phone.end_of(run["run_id"], wait_s=30)
            view = phone.run(run["run_id"])
            assert view is not None
            assert view.ordered() == laptop.events(run["run_id"])
    assert ledger.violations == []


async def test_devices_that_attach_around_the_end_all_see_it(chat: Callable[[], Chat]) -> None:
    """Whether a device attaches just before the last event, at it, or just after: it has the whole run with no second
    attach."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(chat())
        devices = [await stack.enter_async_context(chat()) for _ in range(12)]
        run = await accepted(first, "Tell me a story")
        await speaks(first, run)

        async def attach(place: int, device: Chat) -> None:
            await asyncio.sleep(0.5 + place * 0.06)
            attached = await device.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
            assert attached["type"] == "attached"
            await device.end_of(run["run_id"])

        await asyncio.gather(*(attach(place, device) for place, device in enumerate(devices)))
        await first.end_of(run["run_id"])
        for device in devices:
            assert device.events(run["run_id"]) == first.events(run["run_id"])


async def test_a_very_long_run_is_replayed_in_pages(chat: Callable[[], Chat]) -> None:
    """A run of 600 KB is replayed in pages, `more` until it is whole, in frames that API Gateway lets pass."""
    async with chat() as first, chat() as late:
        run = await accepted(first, "Say 600 KB", agent="wordy")
        events = await whole(first, run)
        pages, cursor = 0, 0
        while True:
            pages += 1
            attached = await late.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: cursor})
            cursor = attached["runs"][0]["seq"]
            assert cursor == late.events(run["run_id"])[-1]["seq"]
            if not attached["more"]:
                break
        assert pages >= 3
        assert late.events(run["run_id"]) == events
        assert max(_size(frame) for frame in late.frames + first.frames) <= FRAME_BYTES


def _size(frame: Frame) -> int:
    return len(json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode())


async def test_a_thread_of_many_runs_is_replayed_in_pages(
    swept: EmulatorProcess, user: str, chat: Callable[[], Chat], ledger: Ledger
) -> None:
    """From the first of 25 runs on, a fresh device reads all of them, over several attaches."""
    async with chat() as first:
        run = await accepted(first, "x", agent="nobody")
        runs = [run]
        await first.end_of(run["run_id"])
        for _ in range(24):
            runs.append(await accepted(first, "x", agent="nobody", thread_id=run["thread_id"]))
            await first.end_of(runs[-1]["run_id"])
        attached = await first.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        assert attached["more"] is True
        async with Device(swept.url, user, "fresh", ledger, random.Random(1)) as fresh:
            fresh.follow(run["thread_id"], runs=(run["run_id"],))
            await fresh.end_of(runs[-1]["run_id"], wait_s=30)
            view = fresh.threads[run["thread_id"]]
            assert list(view.runs) == [one["run_id"] for one in runs]
            assert [one.ordered() for one in view.runs.values()] == [first.events(one["run_id"]) for one in runs]
    assert ledger.violations == []


async def test_every_cursor_of_a_long_run(chat: Callable[[], Chat]) -> None:
    """From each cursor, inside a batch or not, attach replays exactly what comes after it."""
    async with chat() as first, chat() as late:
        run = await accepted(first, "Say 20 KB", agent="wordy")
        events = await whole(first, run)
        for cursor in range(len(events) + 1):
            mark = len(late.frames)
            await late.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: cursor})
            replayed = [frame for frame in late.frames[mark:] if "seq" in frame]
            assert replayed == events[cursor:]
