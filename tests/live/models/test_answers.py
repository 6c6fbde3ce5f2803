"""An answer of a real provider's wire format, from the model's server to a client."""

import pytest

from tests.contract import bedrock_wire, openai_wire
from tests.contract.scripted_model import ScriptedModel, Streamed
from tests.live.kit.chat import Chat
from tests.live.kit.modelled import BEDROCK, OPENAI, Modelled
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, whole


@pytest.mark.parametrize(
    ("agent", "asks", "answers"),
    [
        (
            OPENAI,
            openai_wire.calls("calculate", '{"expression": "6 * 7"}'),
            openai_wire.says("It ", "is 42."),
        ),
        (
            BEDROCK,
            bedrock_wire.calls("calculate", '{"expression":', ' "6 * 7"}'),
            bedrock_wire.says("It ", "is 42."),
        ),
    ],
    ids=[OPENAI, BEDROCK],
)
async def test_a_tool_and_an_answer(
    models: Modelled, client: Chat, agent: str, asks: Streamed, answers: Streamed
) -> None:
    """The tool that the model's server asks for is carried out, its result is sent there, and what it then says is what
    the client sees."""
    server: ScriptedModel = {OPENAI: models.openai, BEDROCK: models.bedrock}[agent]
    server.play(asks, answers)
    run = await accepted(client, "What is 6 * 7?", agent=agent)
    events = await whole(client, run)
    end = events[-1]["payload"]
    assert (events[-1]["type"], end["result"], end["finish"]) == ("agent_completed", "It is 42.", "complete")
    assert viewed(events).said() == "It is 42."
    assert "42" in server.requests[1].body.decode()
    assert (len(server.bodies), server.left) == (2, 0)
