"""Nothing of one user reaches another."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.emulator import EmulatorProcess, chatting

USERS = 8


@pytest.fixture(scope="module")
def isolated(application: Path) -> Iterator[EmulatorProcess]:
    """The application as its template has it: each user's engines are that user's alone. To warm one for each would
    keep the others waiting."""
    with chatting(application, "--schedule-every", "1", "--parameter-overrides", "WarmUp=off") as started:
        yield started


async def test_many_users_at_once(isolated: EmulatorProcess) -> None:
    """Eight users ask at the same moment; each sees its own run's events, all of them, and not one of another's."""

    async def one(number: int) -> tuple[str, set[str]]:
        async with Chat(isolated.url, f"crowd{number}") as client:
            run = await client.ask("run", text=f"What is {number} * 1000?")
            end = await client.end_of(run["run_id"], wait_s=100)
            assert f"{number * 1000}" in end["payload"]["result"].replace(",", "").replace("_", "")
            events = client.events(run["run_id"])
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            return run["run_id"], {frame["run_id"] for frame in client.frames if "run_id" in frame}

    results = await asyncio.gather(*(one(number) for number in range(1, USERS + 1)))
    assert len({run for run, _ in results}) == USERS
    for run, seen in results:
        assert seen == {run}


async def test_anothers_thread_and_run_are_unknown(isolated: EmulatorProcess) -> None:
    """Somebody else's thread or run is answered exactly as one that does not exist."""
    async with Chat(isolated.url, "owner") as owner, Chat(isolated.url, "stranger") as stranger:
        run = await owner.ask("run", text="What is 1 + 1?")
        await owner.end_of(run["run_id"])
        for action, field, real in (
            ("attach", "thread_id", run["thread_id"]),
            ("history", "thread_id", run["thread_id"]),
            ("cancel", "run_id", run["run_id"]),
        ):
            anothers = await stranger.ask(action, **{field: real})
            nobodys = await stranger.ask(action, **{field: real[:-4] + "0000"})
            assert anothers["type"] == "error"
            assert {**anothers, "id": ""} == {**nobodys, "id": ""}
        written = await stranger.ask("run", text="hi", thread_id=run["thread_id"])
        assert written["code"] == "thread_not_found"
