"""What the application makes of faults that happen on AWS: injected from outside while clients watch."""

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import TERMINAL, Chat, text_of
from tests.e2e.emulator_process import EmulatorProcess, project, running

ENGINE = "EngineFunction"
# On AWS a run of a dead engine is to end within 5 s; on a busy machine a cold recovery function may need some more.
NOTICE_S = 10.0


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator of these tests' own: faults of functions are for all users. The sweep stays at its minute, so that it
    is never what ends a run here."""
    with running(project(tmp_path_factory.mktemp("faulty")), "--parameter-overrides", "WarmUp=off") as started:
        yield started


def _control(emulator: EmulatorProcess, body: dict[str, object] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(emulator.url + "/_emulator/faults", headers={"Content-Type": "application/json"})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, data, timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
    return said


async def _inject(emulator: EmulatorProcess, kind: str, **fields: object) -> dict[str, Any]:
    return await asyncio.to_thread(_control, emulator, {"kind": kind, **fields})


async def _newest_connection(emulator: EmulatorProcess) -> str:
    listed = await asyncio.to_thread(_control, emulator)
    connection: str = listed["connections"][-1]["id"]
    return connection


async def _all_struck(emulator: EmulatorProcess) -> bool:
    return not (await asyncio.to_thread(_control, emulator))["faults"]


def _invocations(emulator: EmulatorProcess) -> list[str]:
    """The request ids of the engine's invocations so far."""
    started = (re.search(rf"\[{ENGINE}\] +START RequestId: (\S+)", line) for line in list(emulator.lines))
    return [found.group(1) for found in started if found]


def _wait_for_invocations(emulator: EmulatorProcess, count: int) -> None:
    until = time.monotonic() + 20
    while len(_invocations(emulator)) < count:
        assert time.monotonic() < until, f"the engine was not invoked {count} times"
        time.sleep(0.1)


def _is_whole(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    assert text_of(events) == events[-1]["payload"]["result"]


async def test_a_device_that_is_gone_in_mid_stream_leaves_the_other_one_alone(
    faulty: EmulatorProcess, user: str
) -> None:
    """After a 410 for one of two devices the run goes on: the other one sees everything live, and the first, which
    comes back on a new socket, too."""
    async with Chat(faulty.url, user) as phone:
        connection = await _newest_connection(faulty)
        async with Chat(faulty.url, user) as laptop:
            run = await phone.ask("run", text="x", agent="talking")
            await laptop.ask("attach", thread_id=run["thread_id"])
            await phone.until(lambda frame: frame["type"] == "agent_delta")
            await _inject(faulty, "post_gone", connection=connection)
            end = await laptop.end_of(run["run_id"])
            assert end["type"] == "agent_completed"
            _is_whole(laptop.events(run["run_id"]))
            assert await _all_struck(faulty)
            held = phone.events(run["run_id"])
            assert held[-1]["seq"] < end["seq"], "nothing more is posted to a socket that is gone"
    async with Chat(faulty.url, user) as phone_again:
        await phone_again.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: held[-1]["seq"]})
        assert held + phone_again.events(run["run_id"]) == laptop.events(run["run_id"])


async def test_throttled_posts_lose_nothing(faulty: EmulatorProcess, user: str) -> None:
    """Posts that are answered with 429 are sent again, the same frame, later: the client sees each event once, in
    order, without asking again."""
    async with Chat(faulty.url, user) as client:
        connection = await _newest_connection(faulty)
        run = await client.ask("run", text="x", agent="talking")
        await client.until(lambda frame: frame["type"] == "agent_delta")
        await _inject(faulty, "post_throttled", connection=connection, count=6)
        await client.end_of(run["run_id"])
        assert await _all_struck(faulty)
        seqs = [frame["seq"] for frame in client.frames if "seq" in frame]
        assert seqs == list(range(1, len(seqs) + 1))
        _is_whole(client.events(run["run_id"]))


@pytest.mark.parametrize("after_s", [0, 2.5])
async def test_a_duplicated_invocation_runs_once(faulty: EmulatorProcess, user: str, after_s: float) -> None:
    """Lambda may deliver an event twice, at the same time or late: one engine runs, the other one leaves."""
    before = len(_invocations(faulty))
    await _inject(faulty, "event_duplicated", function=ENGINE, after_s=after_s)
    async with Chat(faulty.url, user) as client:
        run = await client.ask("run", text="What is 7 * 7?")
        assert "49" in (await client.end_of(run["run_id"]))["payload"]["result"]
        await asyncio.to_thread(_wait_for_invocations, faulty, before + 2)
        await asyncio.sleep(1)  # time enough for the second one to say something
        assert len(set(_invocations(faulty)[before:])) == 1
        _is_once(client, run["run_id"])


async def test_a_delayed_invocation_runs_once(faulty: EmulatorProcess, user: str) -> None:
    """A run whose invocation comes late is accepted at once and answered late, once."""
    await _inject(faulty, "event_delayed", function=ENGINE, delay_s=2)
    async with Chat(faulty.url, user) as client:
        run = await client.ask("run", text="What is 8 * 8?")
        await asyncio.sleep(1)
        assert [event["type"] for event in client.events(run["run_id"])] == ["user_message"]
        assert "64" in (await client.end_of(run["run_id"]))["payload"]["result"]
        _is_once(client, run["run_id"])


def _is_once(client: Chat, run: str) -> None:
    came = [frame["type"] for frame in client.frames if frame.get("run_id") == run]
    assert came.count("agent_started") == 1
    assert came.count("tool_executing") == 1
    assert len([kind for kind in came if kind in TERMINAL]) == 1
    events = client.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_a_run_survives_a_database_that_throttles_and_loses_answers(faulty: EmulatorProcess, user: str) -> None:
    """Throttled requests are repeated; a write whose answer was lost is recognised as the writer's own. The client sees
    one whole run, where it reads again what it finds missing."""
    async with Chat(faulty.url, user) as client:
        for operation in ("Query", "PutItem", "TransactWriteItems"):
            await _inject(faulty, "dynamodb_throttled", operation=operation)
            await _inject(faulty, "dynamodb_answer_lost", operation=operation)
        run = await client.ask("run", text="What is 6 * 6?")
        assert "36" in (await client.end_of(run["run_id"]))["payload"]["result"]
        assert await _all_struck(faulty)
        events = await client.follow(run["run_id"], run["thread_id"], held=0)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        kinds = [event["type"] for event in events]
        assert (kinds.count("agent_started"), kinds.count("tool_executing")) == (1, 1)


async def test_an_engine_killed_from_outside_is_replaced(faulty: EmulatorProcess, user: str) -> None:
    """SIGKILL in mid-stream: Lambda's notice has another engine go on, long before the sweep; what the first one had
    said of its unfinished answer is void."""
    async with Chat(faulty.url, user) as client:
        run = await client.ask("run", text="x", agent="talking")
        await client.until(lambda frame: frame["type"] == "agent_delta")
        assert (await _inject(faulty, "kill_environments", function=ENGINE))["killed"] >= 1
        resumed = await client.until(lambda frame: frame["type"] == "agent_resumed", wait_s=NOTICE_S)
        assert (resumed["payload"]["attempt"], resumed["payload"]["reason"]) == (2, "engine_lost")
        end = await client.end_of(run["run_id"])
        events = await client.follow(run["run_id"], run["thread_id"], held=0)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        said = [event for event in events if event["seq"] > resumed["seq"]]
        assert text_of(said) == end["payload"]["result"]
        assert resumed["payload"]["discard_after"] < resumed["seq"] - 1
