"""The example with LangGraph, installed as its README says: its file, and its packages among the engine's."""

import shutil
from collections.abc import Iterator

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.emulator import ROOT, SHARED, EmulatorProcess, chatting, project
from tests.live.kit.steps import outline

EXAMPLES = ROOT / "examples/agents"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application with this agent and what it requires."""
    template = project(tmp_path_factory.mktemp("graph"))
    engine = template.parent / "functions/engine"
    shutil.copy(EXAMPLES / "graph.py", engine / "agents")
    with (engine / "requirements.txt").open("a") as requirements:
        requirements.write((EXAMPLES / "graph-requirements.txt").read_text())
    with chatting(template, *SHARED) as started:
        yield started


async def test_a_graph_of_langgraph_is_watched_like_any_other(emulator: EmulatorProcess, user: str) -> None:
    """What its model streams comes as it is streamed, and its tool's events around the node that runs it."""
    async with Chat(emulator.url, user) as client:
        accepted = await client.ask("run", agent="graph", text="When does the library in Kiel open?")
        end = await client.end_of(accepted["run_id"])
        assert outline(client.events(accepted["run_id"])) == [
            *("user_message", "agent_started", "agent_thinking", "agent_delta", "tool_executing", "tool_completed"),
            *("agent_thinking", "agent_delta", "agent_completed"),
        ]
        assert end["payload"]["result"] == "It is open from 9:00 to 18:00."
        again = await client.ask("run", agent="graph", thread_id=accepted["thread_id"], text="And the library in Oslo?")
        end = await client.end_of(again["run_id"])
        assert end["payload"]["result"] == "It is open from 10:00 to 20:00."
