"""Whatever kills a run, its client is told, once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import TERMINAL, Chat
from tests.e2e.emulator_process import EmulatorProcess, project, running

ENGINE_TIMEOUT_S = 6


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application with engines that may live for 6 seconds."""
    template = project(tmp_path_factory.mktemp("hasty"), engine_timeout_s=ENGINE_TIMEOUT_S)
    with running(template, "--schedule-every", "1") as started:
        yield started


async def _failed(client: Chat, agent: str) -> dict[str, object]:
    run = await client.ask("run", text="x", agent=agent)
    end = await client.end_of(run["run_id"], wait_s=60)
    assert end["type"] == "agent_error"
    await asyncio.sleep(3)  # long enough for a second ending, by notice or sweep, to show
    # What the dead engine had logged but not posted shows as a gap, and is read again.
    events = await client.follow(run["run_id"], run["thread_id"], held=0)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["seq"] for event in events if event["type"] in TERMINAL}) == 1
    # The thread is free again.
    following = await client.ask("run", text="What is 9 * 9?", thread_id=run["thread_id"])
    assert "81" in (await client.end_of(following["run_id"]))["payload"]["result"]
    payload: dict[str, object] = end["payload"]
    return payload


async def test_an_agents_exception(emulator: EmulatorProcess, user: str) -> None:
    """An agent that raises ends its run with `agent_failed`; nothing of the exception reaches the client."""
    async with Chat(emulator.url, user) as client:
        error = await _failed(client, "raising")
        assert error["code"] == "agent_failed"
        assert "secret-detail" not in str(client.frames)


async def test_a_killed_engine(emulator: EmulatorProcess, user: str) -> None:
    """An engine whose process is killed is noticed at once, and another goes on; what kills one engine after another
    ends the run with `engine_lost`."""
    async with Chat(emulator.url, user) as client:
        error = await _failed(client, "dying")
        assert (error["code"], error["retryable"]) == ("engine_lost", True)


async def test_an_unknown_agent(emulator: EmulatorProcess, user: str) -> None:
    """A run for an agent that is not installed ends with `unknown_agent`."""
    async with Chat(emulator.url, user) as client:
        assert (await _failed(client, "nobody"))["code"] == "unknown_agent"


async def test_a_broken_agent(emulator: EmulatorProcess, user: str) -> None:
    """A run for an agent whose file is broken ends with `agent_failed`; the file is named in the log, nowhere else."""
    async with Chat(emulator.url, user) as client:
        failed = await _failed(client, "unfinished")
    assert failed["code"] == "agent_failed"
    assert ".py" not in str(failed["message"])
    assert any("agents/unfinished.py: an agent's file has" in line for line in emulator.lines)


@pytest.mark.parametrize(
    ("agent", "code"), [("silent", "step_too_long"), ("blocking", "step_too_long"), ("hanging", "engine_timeout")]
)
async def test_an_engine_that_runs_out_of_time(hasty: EmulatorProcess, user: str, agent: str, code: str) -> None:
    """A step that does not fit in an invocation is cut, tried once more, and ends the run with `step_too_long`; where
    the whole process hangs until Lambda kills it, recovery resumes twice and ends the run with `engine_timeout`."""
    async with Chat(hasty.url, user) as client:
        assert (await _failed(client, agent))["code"] == code


async def test_a_lost_invocation(tmp_path: Path, user: str) -> None:
    """An engine's invocation that never arrives is asked for again by the sweep; the run is answered, once."""
    options = ("--schedule-every", "1", "--lose-events", "EngineFunction=1", "--parameter-overrides", "WarmUp=off")
    with running(project(tmp_path), *options) as lossy:
        async with Chat(lossy.url, user) as client:
            run = await client.ask("run", text="What is 7 * 7?")
            end = await client.end_of(run["run_id"], wait_s=60)
            assert "49" in end["payload"]["result"]
            events = client.events(run["run_id"])
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            assert len([frame for frame in client.frames if frame["type"] == "agent_started"]) == 1
