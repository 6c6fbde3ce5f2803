"""What a device that was never there before reads of a user's past."""

import random
from dataclasses import dataclass

from tests.live.kit.client import Frame
from tests.live.kit.device import Device, NoAnswer
from tests.live.kit.ledger import Ledger
from tests.live.kit.reducer import ThreadView

READ_S = 60.0


@dataclass(frozen=True)
class Past:
    """All of a user's threads, read from zero, and what their histories say."""

    threads: dict[str, ThreadView]
    items: list[Frame]
    histories: dict[str, list[Frame]]


async def read_all(url: str, user: str, ledger: Ledger) -> Past:
    """Reads the list, each history, and by attach from zero each run's log. What does not come is a violation."""
    async with Device(url, user, f"{user}-fresh", ledger, random.Random(user)) as fresh:
        items = await _threads(fresh)
        histories: dict[str, list[Frame]] = {}
        for item in items:
            thread_id = item["thread_id"]
            histories[thread_id] = await _history(fresh, thread_id)
            runs = dict.fromkeys(message["run_id"] for message in histories[thread_id])
            fresh.follow(thread_id, runs=tuple(runs)[:50])
        try:
            await fresh.until(lambda: _is_whole(fresh), wait_s=READ_S, what="all logs")
        except NoAnswer as error:
            ledger.violate(str(error))
        return Past(fresh.threads, items, histories)


def _is_whole(device: Device) -> bool:
    return all(run.end is not None for view in device.threads.values() for run in view.runs.values())


async def _threads(device: Device) -> list[Frame]:
    items: list[Frame] = []
    cursor: dict[str, str] = {}
    while True:
        page = await device.request("threads", cursor)
        items += page["items"]
        if "cursor" not in page:
            return items
        cursor = {"cursor": page["cursor"]}


async def _history(device: Device, thread_id: str) -> list[Frame]:
    messages: list[Frame] = []
    before: dict[str, str] = {}
    while True:
        page = await device.request("history", {"thread_id": thread_id, **before})
        messages = [*page["messages"], *messages]
        if "before" not in page:
            return messages
        before = {"before": page["before"]}
