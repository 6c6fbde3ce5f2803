"""Runs that take longer than an engine may live go on in the next one."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import SHARED, EmulatorProcess, chatting, project
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, kinds, resumes, whole

ENGINE_TIMEOUT_S = 10
LONG_S = 100
TOO_LONG = ("endless_step", "silent", "blocking")
"""A model that never stops, one that says no more, and a tool that blocks."""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application with engines that may live for ten seconds."""
    template = project(tmp_path_factory.mktemp("hasty"), engine_timeout_s=ENGINE_TIMEOUT_S)
    with chatting(template, "--schedule-every", "1", *SHARED) as started:
        yield started


@dataclass(frozen=True)
class Told:
    """A run's events, the history of its thread, and the end of a run that came after it."""

    events: list[Frame]
    history: str
    following: Frame


@pytest.fixture(scope="module")
def told(hasty: EmulatorProcess) -> dict[str, Told]:
    """Long runs of a user each, side by side; by agent."""
    asked = {
        "chaptering": "chapters=10 seconds=2",
        "stepping": "Take 50 steps",
        **dict.fromkeys((*TOO_LONG, "hanging"), "x"),
    }

    async def one(agent: str, text: str) -> Told:
        async with Chat(hasty.url, f"long-{agent}") as client:
            run = await accepted(client, text, agent=agent)
            events = await whole(client, run, wait_s=LONG_S)
            history = await client.ask("history", thread_id=run["thread_id"])
            said = [message["text"] for message in history["messages"] if message["role"] == "assistant"]
            following = await accepted(client, "What is 9 * 9?", thread_id=run["thread_id"])
            return Told(events, "".join(said), await client.end_of(following["run_id"]))

    async def all_of_them() -> dict[str, Told]:
        results = await asyncio.gather(*(one(agent, text) for agent, text in asked.items()))
        return dict(zip(asked, results, strict=True))

    return asyncio.run(all_of_them())


def test_text_goes_on_in_several_engines(told: dict[str, Told]) -> None:
    """Chapters of more than twenty seconds are told by at least three engines: one beginning, one unbroken seq, the
    text whole, and the same in the history."""
    events = told["chaptering"].events
    assert set(resumes(events)) == {"handed_over"}
    assert len(resumes(events)) >= 2
    assert kinds(events).count("agent_started") == 1
    assert events[-1]["payload"]["result"] == "The end, after 10 chapters."
    chapters = [f"Chapter {n}: " + "".join(f"{n}.{place} " for place in range(20)) for n in range(1, 11)]
    assert viewed(events).said() == "".join(chapters) + "The end, after 10 chapters."
    assert told["chaptering"].history == viewed(events).said()


def test_each_of_many_small_tools_runs_once(told: dict[str, Told]) -> None:
    """Fifty steps of a third of a second: each is taken once, by whichever engine."""
    events = told["stepping"].events
    assert set(resumes(events)) == {"handed_over"}
    assert kinds(events).count("tool_executing") == kinds(events).count("tool_completed") == 50
    assert events[-1]["payload"]["result"] == ", ".join(f"step {number}" for number in range(1, 51))


@pytest.mark.parametrize("agent", TOO_LONG)
def test_one_step_that_fits_in_no_engine_ends_the_run(told: dict[str, Told], agent: str) -> None:
    """A step that two engines could not finish is cut, and ends the run with `step_too_long`."""
    events = told[agent].events
    assert (events[-1]["type"], events[-1]["payload"]["code"]) == ("agent_error", "step_too_long")
    assert resumes(events) == ["handed_over"]


def test_a_process_that_hangs_until_lambda_kills_it_ends_the_run(told: dict[str, Told]) -> None:
    """Where no engine can cut its own step, recovery resumes twice and ends the run with `engine_timeout`."""
    events = told["hanging"].events
    assert (events[-1]["type"], events[-1]["payload"]["code"]) == ("agent_error", "engine_timeout")
    assert resumes(events) == ["engine_lost", "engine_lost"]


def test_the_thread_goes_on_afterwards(told: dict[str, Told]) -> None:
    """After each of these runs the next message of the thread is answered."""
    assert ["81" in one.following["payload"]["result"] for one in told.values()] == [True] * 6


async def test_a_killed_engine_among_them(hasty: EmulatorProcess, user: str) -> None:
    """A hand-over, then a death: what was completed before is not done again."""
    faults = Control(hasty.url)
    async with Chat(hasty.url, user) as client:
        run = await accepted(client, "chapters=6 seconds=2", agent="chaptering")
        handed = await client.until(lambda frame: frame["type"] == "agent_resumed", wait_s=40)
        assert handed["payload"]["reason"] == "handed_over"
        await client.until(lambda f: f["type"] == "agent_delta" and f["seq"] > handed["seq"] + 2, wait_s=40)
        assert (await faults.inject("kill_environments", function=ENGINE))["killed"] >= 1
        events = await whole(client, run, wait_s=LONG_S)
        assert resumes(events)[:2] == ["handed_over", "engine_lost"]
        assert events[-1]["payload"]["result"] == "The end, after 6 chapters."
        pages = [event["payload"]["tool_call_id"] for event in events if event["type"] == "tool_completed"]
        assert pages == [f"page-{number}" for number in range(1, 7)]
