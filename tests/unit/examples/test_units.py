"""An agent with a loop of its own."""

import subprocess
import sys
from pathlib import Path

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Responded, ToolEnded
from dayfly.agents.testing import AgentContract, ask
from dayfly.log.messages import Message
from examples.agents.units import agent
from tests.unit.agents.support import turn

ROOT = Path(__file__).parents[3]
QUESTION = "How far is 26.2 miles in km?"


async def test_it_is_tried_as_any_other_agent() -> None:
    """`ask` runs a class with `run` too."""
    transcript = await ask(agent, QUESTION)
    assert [(call.tool_name, call.parameters) for call in transcript.calls] == [
        ("convert", {"value": 26.2, "unit": "miles", "to": "km"})
    ]
    assert transcript.answer == "That is 42.16 km."


async def test_a_tool_that_fails_is_told() -> None:
    """Length does not become weight."""
    transcript = await ask(agent, "5 miles in kg")
    assert transcript.results[0].outcome == "error"
    assert transcript.answer == "miles can't be made kg."


async def run(resumed: tuple[Message, ...] = ()) -> list[AgentEvent]:
    return [event async for event in agent().run(turn(QUESTION, resumed=resumed))]


async def test_it_goes_on_wherever_an_earlier_attempt_was_lost() -> None:
    """What is in the journal is not done again, what is not is done, and the answer is the same."""
    whole = await run()
    messages: list[Message] = []
    for place, event in enumerate(whole):
        if isinstance(event, Responded):
            messages.append(event.message)
        elif isinstance(event, ToolEnded):
            messages.append(event.answer)
        else:
            continue
        rest = await run(tuple(messages))
        assert [type(each) for each in rest] == [type(each) for each in whole[place + 1 :]]
        assert rest[-1] == whole[-1] == Answered("That is 42.16 km.")
    assert len(messages) == 3


def test_it_needs_no_agent_library() -> None:
    """Its module loads without pydantic-ai."""
    code = "import sys, examples.agents.units; sys.exit('pydantic_ai' in sys.modules)"
    path = f"{ROOT / 'layers/dayfly'}:{ROOT}"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=True, timeout=60)


class TestContract(AgentContract):
    """It keeps to the protocol, whatever befalls its run."""

    agent = agent
    text = QUESTION
    idempotent = ("convert",)
