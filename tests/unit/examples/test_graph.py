"""LangGraph behind the agents' protocol."""

from dayfly.agents.sdk import Answered, AssistantSaid, ToolAnswered, ToolCall, ToolStarted
from dayfly.agents.testing import AgentContract, ask
from examples.agents.graph import agent
from tests.unit.agents.support import turn

QUESTION = "When does the library in Kiel open?"


async def test_the_graph_calls_its_tool_and_answers() -> None:
    """The tool runs in a node of the graph, and its events come around it."""
    transcript = await ask(agent, QUESTION)
    assert [(call.tool_name, call.parameters) for call in transcript.calls] == [("opening_hours", {"town": "Kiel"})]
    assert transcript.answer == "It is open from 9:00 to 18:00."


async def test_what_the_model_streams_is_told_piece_by_piece() -> None:
    """As LangGraph hands its messages on."""
    events = (await ask(agent, QUESTION)).events
    names = [type(event).__name__ for event in events]
    assert names == [
        *("Thinking", "Delta", "Delta", "Delta", "Responded", "ToolStarted", "ToolEnded"),
        *("Thinking", *["Delta"] * 7, "Responded", "Answered"),
    ]


async def test_a_tools_error_is_told() -> None:
    """The model is told its words."""
    transcript = await ask(agent, "Is there a library in Atlantis?")
    assert transcript.results[0].outcome == "error"
    assert transcript.answer == "There is no library in Atlantis."


async def test_it_goes_on_in_its_thread() -> None:
    """With the messages of the first run, and a second call under an id of its own."""
    first = await ask(agent, QUESTION)
    second = await ask(agent, "And the library in Oslo?", history=first.messages)
    assert second.answer == "It is open from 10:00 to 20:00."
    assert second.calls[0].tool_call_id != first.calls[0].tool_call_id


async def test_only_the_call_without_a_result_is_carried_out() -> None:
    """Where an engine was lost between two results of one response."""
    calls = tuple(ToolCall(f"c-{town}", "opening_hours", f'{{"town": "{town}"}}') for town in ("Kiel", "Oslo"))
    resumed = (AssistantSaid("", calls), ToolAnswered("c-Kiel", "opening_hours", "9:00 to 18:00"))
    events = [event async for event in agent().run(turn(QUESTION, resumed=resumed))]
    assert [event.tool_call_id for event in events if isinstance(event, ToolStarted)] == ["c-Oslo"]
    assert events[-1] == Answered("It is open from 10:00 to 20:00.")


class TestContract(AgentContract):
    """It keeps to the protocol, whatever befalls its run."""

    agent = agent
    text = QUESTION
    idempotent = ("opening_hours",)
