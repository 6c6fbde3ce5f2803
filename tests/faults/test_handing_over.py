"""Runs that take longer than an engine may live go on in the next one."""

from collections.abc import Iterator

import pytest

from tests.e2e.client import Chat
from tests.e2e.emulator_process import EmulatorProcess, project, running
from tests.faults.control import ENGINE, Control
from tests.faults.steps import accepted, kinds, resumes, viewed, whole

ENGINE_TIMEOUT_S = 10


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application with engines that may live for ten seconds."""
    template = project(tmp_path_factory.mktemp("hasty"), engine_timeout_s=ENGINE_TIMEOUT_S)
    with running(template, "--schedule-every", "1", "--parameter-overrides", "WarmUp=off") as started:
        yield started


async def test_text_for_three_times_as_long(hasty: EmulatorProcess, user: str) -> None:
    """Chapters of more than twenty seconds are told by several engines: one unbroken seq, one beginning, the text
    whole."""
    async with Chat(hasty.url, user) as client:
        run = await accepted(client, "chapters=12 seconds=2", agent="chaptering")
        events = await whole(client, run, wait_s=100)
        assert set(resumes(events)) == {"handed_over"}
        assert len(resumes(events)) >= 2
        assert kinds(events).count("agent_started") == 1
        assert events[-1]["payload"]["result"] == "The end, after 12 chapters."
        chapters = [f"Chapter {n}: " + "".join(f"{n}.{place} " for place in range(20)) for n in range(1, 13)]
        assert viewed(events).said() == "".join(chapters) + "The end, after 12 chapters."
        history = await client.ask("history", thread_id=run["thread_id"])
        told = "".join(message["text"] for message in history["messages"] if message["role"] == "assistant")
        assert told == viewed(events).said()


async def test_many_small_tools(hasty: EmulatorProcess, user: str) -> None:
    """Sixty steps of a third of a second: each is taken once, by whichever engine."""
    async with Chat(hasty.url, user) as client:
        run = await accepted(client, "Take 60 steps", agent="stepping")
        events = await whole(client, run, wait_s=100)
        assert set(resumes(events)) == {"handed_over"}
        assert kinds(events).count("tool_executing") == kinds(events).count("tool_completed") == 60
        assert events[-1]["payload"]["result"] == ", ".join(f"step {number}" for number in range(1, 61))


async def test_a_killed_engine_among_them(hasty: EmulatorProcess, user: str) -> None:
    """A hand-over, a death and another hand-over: what was completed before is not done again."""
    faults = Control(hasty.url)
    async with Chat(hasty.url, user) as client:
        run = await accepted(client, "chapters=8 seconds=2", agent="chaptering")
        handed = await client.until(lambda frame: frame["type"] == "agent_resumed", wait_s=40)
        assert handed["payload"]["reason"] == "handed_over"
        await client.until(lambda f: f["type"] == "agent_delta" and f["seq"] > handed["seq"] + 2, wait_s=40)
        assert (await faults.inject("kill_environments", function=ENGINE))["killed"] >= 1
        events = await whole(client, run, wait_s=100)
        assert resumes(events)[:2] == ["handed_over", "engine_lost"]
        assert events[-1]["payload"]["result"] == "The end, after 8 chapters."
        pages = [event["payload"]["tool_call_id"] for event in events if event["type"] == "tool_completed"]
        assert pages == [f"page-{number}" for number in range(1, 9)]


async def test_one_step_that_fits_in_no_engine(hasty: EmulatorProcess, user: str) -> None:
    """A step that two engines could not finish ends the run with `step_too_long`, and the thread goes on."""
    async with Chat(hasty.url, user) as client:
        run = await accepted(client, "x", agent="endless_step")
        events = await whole(client, run, wait_s=100)
        assert (events[-1]["type"], events[-1]["payload"]["code"]) == ("agent_error", "step_too_long")
        assert resumes(events) == ["handed_over"]
        following = await accepted(client, "What is 9 * 9?", thread_id=run["thread_id"])
        assert "81" in (await client.end_of(following["run_id"]))["payload"]["result"]
