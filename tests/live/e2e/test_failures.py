"""Whatever ends a run, its client is told, once."""

from typing import Any

from tests.live.kit.chat import Chat
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.steps import accepted, kinds, resumes, settled, whole


async def _failed(emulator: EmulatorProcess, client: Chat, agent: str) -> dict[str, Any]:
    """What the error says with which a run of this agent ends, when nothing can follow it; the thread is free again."""
    run = await accepted(client, "x", agent=agent)
    events = await whole(client, run)
    await settled(emulator, client)
    assert await whole(client, run) == events
    assert events[-1]["type"] == "agent_error"
    following = await accepted(client, "What is 9 * 9?", thread_id=run["thread_id"])
    assert "81" in (await client.end_of(following["run_id"]))["payload"]["result"]
    error: dict[str, Any] = events[-1]["payload"]
    return error


async def test_an_agents_exception(swept: EmulatorProcess, client: Chat) -> None:
    """An agent that raises ends its run with `agent_failed`; nothing of the exception reaches the client."""
    assert (await _failed(swept, client, "raising"))["code"] == "agent_failed"
    assert "secret-detail" not in str(client.frames)


async def test_an_engine_that_kills_itself(swept: EmulatorProcess, client: Chat) -> None:
    """What kills one engine after another from within ends the run with `engine_lost`, retryably."""
    error = await _failed(swept, client, "dying")
    assert (error["code"], error["retryable"]) == ("engine_lost", True)


async def test_an_unknown_agent(swept: EmulatorProcess, client: Chat) -> None:
    """A run for an agent that is not installed ends with `unknown_agent`."""
    assert (await _failed(swept, client, "nobody"))["code"] == "unknown_agent"


async def test_a_broken_agent(swept: EmulatorProcess, client: Chat) -> None:
    """A run for an agent whose file is broken ends with `agent_failed`; the file is named in the log, nowhere else."""
    failed = await _failed(swept, client, "unfinished")
    assert failed["code"] == "agent_failed"
    assert ".py" not in str(failed["message"])
    assert any("agents/unfinished.py: an agent's file has" in line for line in swept.lines)


async def test_a_lost_invocation(client: Chat, faults: Control) -> None:
    """An engine's invocation that never arrives is asked for again by the sweep; the run is answered, once."""
    await faults.inject("event_lost", function=ENGINE)
    run = await accepted(client, "What is 7 * 7?")
    assert "49" in (await client.end_of(run["run_id"], wait_s=60))["payload"]["result"]
    assert await faults.standing() == []
    events = await whole(client, run)
    assert kinds(events).count("agent_started") == 1
    assert resumes(events) == []
