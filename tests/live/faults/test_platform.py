"""What the application makes of what happens on AWS: injected from outside while clients watch."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.reducer import TERMINAL, viewed
from tests.live.kit.steps import kinds, moment, settled, whole


@pytest.fixture
async def calm(unswept: EmulatorProcess) -> AsyncIterator[Control]:
    """Injects where no sweep comes between; what has not struck in the end is withdrawn."""
    control = Control(unswept.url)
    yield control
    await control.calm()


def _is_whole(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] in TERMINAL for event in events] == [False] * (len(events) - 1) + [True]
    assert viewed(events).said() == events[-1]["payload"]["result"]


async def test_a_device_that_is_gone_in_mid_stream_leaves_the_other_one_alone(
    unswept: EmulatorProcess, user: str, calm: Control
) -> None:
    """After a 410 for one of two devices the run goes on: the other one sees everything live, and the first, which
    comes back on a new socket, too."""
    async with Chat(unswept.url, user) as phone:
        connection = (await calm.connections())[-1]
        async with Chat(unswept.url, user) as laptop:
            run = await phone.ask("run", text="x", agent="talking")
            await laptop.ask("attach", thread_id=run["thread_id"])
            await phone.until(lambda frame: frame["type"] == "agent_delta")
            await calm.inject("post_gone", connection=connection)
            end = await laptop.end_of(run["run_id"])
            assert end["type"] == "agent_completed"
            _is_whole(laptop.events(run["run_id"]))
            assert await calm.standing() == []
            held = phone.events(run["run_id"])
            assert held[-1]["seq"] < end["seq"], "nothing more is posted to a socket that is gone"
    async with Chat(unswept.url, user) as phone_again:
        await phone_again.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: held[-1]["seq"]})
        assert held + phone_again.events(run["run_id"]) == laptop.events(run["run_id"])


async def test_throttled_posts_lose_nothing(unswept: EmulatorProcess, user: str, calm: Control) -> None:
    """Posts that are answered with 429 are sent again, the same frame, later: the client sees each event once, in
    order, without asking again."""
    async with Chat(unswept.url, user) as client:
        connection = (await calm.connections())[-1]
        run = await client.ask("run", text="x", agent="talking")
        await client.until(lambda frame: frame["type"] == "agent_delta")
        await calm.inject("post_throttled", connection=connection, count=6)
        await client.end_of(run["run_id"])
        assert await calm.standing() == []
        seqs = [frame["seq"] for frame in client.frames if "seq" in frame]
        assert seqs == list(range(1, len(seqs) + 1))
        _is_whole(client.events(run["run_id"]))


@pytest.mark.parametrize("after_s", [0, 2.5])
async def test_a_duplicated_invocation_runs_once(
    unswept: EmulatorProcess, user: str, calm: Control, after_s: float
) -> None:
    """Lambda may deliver an event twice, at the same time or late: one engine runs, the other one leaves."""
    before = len(unswept.invocations(ENGINE))
    await calm.inject("event_duplicated", function=ENGINE, after_s=after_s)
    async with Chat(unswept.url, user) as client:
        run = await client.ask("run", text="What is 7 * 7?")
        assert "49" in (await client.end_of(run["run_id"]))["payload"]["result"]
        await asyncio.to_thread(
            unswept.wait_until, lambda: len(unswept.invocations(ENGINE)) >= before + 2, "two invocations"
        )
        await settled(unswept, client)
        assert len(set(unswept.invocations(ENGINE)[before:])) == 1
        _is_once(client, run["run_id"])


async def test_a_delayed_invocation_runs_once(unswept: EmulatorProcess, user: str, calm: Control) -> None:
    """A run whose invocation comes late is accepted at once and answered late, once."""
    await calm.inject("event_delayed", function=ENGINE, delay_s=2)
    async with Chat(unswept.url, user) as client:
        run = await client.ask("run", text="What is 8 * 8?")
        assert run["status"] == "running"
        assert "64" in (await client.end_of(run["run_id"]))["payload"]["result"]
        said, begun = client.events(run["run_id"])[:2]
        assert moment(begun) - moment(said) >= 2
        _is_once(client, run["run_id"])


def _is_once(client: Chat, run: str) -> None:
    came = [frame["type"] for frame in client.frames if frame.get("run_id") == run]
    assert came.count("agent_started") == 1
    assert came.count("tool_executing") == 1
    assert len([kind for kind in came if kind in TERMINAL]) == 1
    events = client.events(run)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_a_run_survives_a_database_that_throttles_and_loses_answers(
    unswept: EmulatorProcess, user: str, calm: Control
) -> None:
    """Throttled requests are repeated; a write whose answer was lost is recognised as the writer's own. The client sees
    one whole run, where it reads again what it finds missing."""
    async with Chat(unswept.url, user) as client:
        for operation in ("Query", "PutItem", "TransactWriteItems"):
            await calm.inject("dynamodb_throttled", operation=operation)
            await calm.inject("dynamodb_answer_lost", operation=operation)
        run = await client.ask("run", text="What is 6 * 6?")
        assert "36" in (await client.end_of(run["run_id"]))["payload"]["result"]
        assert await calm.standing() == []
        events = await whole(client, run)
        assert (kinds(events).count("agent_started"), kinds(events).count("tool_executing")) == (1, 1)
