"""What many of these tests do and look at."""

import asyncio
import datetime as dt
import itertools
import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from tests.live.kit import verdict
from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.control import ENGINE, RECOVERY
from tests.live.kit.emulator import ROOT, EmulatorProcess
from tests.live.kit.reducer import TERMINAL, viewed

SLOW = "Tell me a long story, slowly"
STORY_ENDS = "first clear night of autumn"


async def accepted(client: Chat, text: str, **fields: object) -> Frame:
    """Says it; the acceptance."""
    reply = await client.ask("run", text=text, **fields)
    assert reply["type"] == "accepted", reply
    return reply


async def speaks(client: Chat, run: Frame) -> Frame:
    """The run's first text."""
    return await client.until(lambda f: f["type"] == "agent_delta" and f["run_id"] == run["run_id"])


async def talks(client: Chat, run: Frame) -> None:
    """A few pieces of the run's text are there."""
    first = await speaks(client, run)
    await client.until(lambda f: f.get("run_id") == run["run_id"] and f.get("seq", 0) >= first["seq"] + 2)


async def asks(client: Chat, run: Frame, *, after: int = 0) -> Frame:
    """The run's question to the user."""
    return await client.until(lambda f: f["type"] == "approval_requested" and f["run_id"] == run["run_id"], after=after)


async def whole(client: Chat, run: Frame, *, wait_s: float = 60) -> list[Frame]:
    """All events of a run when it has ended, read again where some are missing; nothing is wrong with them."""
    events = await asyncio.wait_for(client.follow(run["run_id"], run["thread_id"]), wait_s)
    assert verdict.of_run(viewed(events), None) == []
    return events


def kinds(events: Iterable[Frame]) -> list[str]:
    """The types of events."""
    return [event["type"] for event in events]


def moment(event: Frame) -> float:
    """An event's timestamp in seconds since the epoch."""
    return dt.datetime.fromisoformat(event["timestamp"]).timestamp()


def outline(events: Iterable[Frame]) -> list[str]:
    """The types of events, consecutive deltas as one."""
    return [kind for kind, _ in itertools.groupby(kinds(events))]


def resumes(events: Iterable[Frame]) -> list[str]:
    """Why fresh engines went on."""
    return [event["payload"]["reason"] for event in events if event["type"] == "agent_resumed"]


def ends(client: Chat) -> list[str]:
    """The runs that ended, in the order in which the client was told, once each."""
    return list(dict.fromkeys(frame["run_id"] for frame in client.frames if frame["type"] in TERMINAL))


def starts(client: Chat) -> list[str]:
    """The runs that began, in the order in which the client was told, once each."""
    return list(dict.fromkeys(frame["run_id"] for frame in client.frames if frame["type"] == "agent_started"))


async def settled(emulator: EmulatorProcess, *clients: Chat) -> None:
    """Whatever runs now and a sweep that begins now are over, and what they have posted is there."""
    await sweep(emulator)
    await asyncio.to_thread(emulator.wait_until_idle, ENGINE, RECOVERY)
    for client in clients:
        assert (await client.ask("ping"))["type"] == "pong"


async def sweep(emulator: EmulatorProcess, *, dies: bool = False) -> None:
    """One sweep now, as the schedule would ask for it; returns when it is over, or has died."""

    def invoke() -> bytes:
        request = urllib.request.Request(
            f"{emulator.url}/2015-03-31/functions/RecoveryFunction/invocations",
            Path(ROOT / "events/sweep.json").read_bytes(),
            {"Authorization": "AWS4-HMAC-SHA256 Credential=test"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said: bytes = answer.read()
        return said

    answer = await asyncio.to_thread(invoke)
    assert (b"errorMessage" in answer) is dies, json.loads(answer)
