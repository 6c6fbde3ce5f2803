"""Files that tools return, and structured answers, as they go over the wire of each provider."""

import base64
import json
from dataclasses import replace

import pytest
from pydantic import BaseModel

from dayfly.agents.models.factory import Models
from dayfly.agents.sdk import AgentDefinition, ToolFile
from dayfly.agents.sdk.testing import ask
from dayfly.log.messages import ToolAnswered
from tests.contract.all_model_adapters import ADAPTERS
from tests.contract.model_adapters import Adapter, Call, OpenAI, Response

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CALL = Call(call_id="call-1", name="draw", arguments=("{}",))
OPENAI = OpenAI()


def draw() -> list[object]:
    """Draws a chart."""
    return ["Here it is.", ToolFile("chart.png", "image/png", PNG)]


class Weather(BaseModel):
    """The weather."""

    town: str
    degrees: float


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: type(adapter).__name__)
async def test_an_image_that_a_tool_returns_is_in_the_next_request(adapter: Adapter) -> None:
    """With its bytes, and the text beside it; in the thread's next turn, after the history has dropped them, only its
    name is."""
    agent = AgentDefinition(instructions="Draw.", tools=(draw,))
    replies = (Response(text=(), call=CALL), Response(text=("Done.",)), Response(text=("As I said.",)))
    async with adapter.serve(*replies) as (models, server):
        transcript = await ask(agent, "Draw it.", model=adapter.setting, models=models)
        history = tuple(
            replace(message, files=tuple(file.without_data() for file in message.files))
            if isinstance(message, ToolAnswered)
            else message
            for message in transcript.messages
        )
        await ask(agent, "Again?", model=adapter.setting, models=models, history=history)
    # Google's client writes the other alphabet of RFC 4648, section 5.
    encoded = (base64.b64encode if adapter.name != "google" else base64.urlsafe_b64encode)(PNG).decode()
    first, second, third = (request.body.decode() for request in server.requests)
    assert encoded not in first
    assert encoded in second
    assert "Here it is." in second
    assert encoded not in third
    assert "chart.png" in third


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: type(adapter).__name__)
async def test_a_structured_answer_is_asked_for_and_asked_for_again(adapter: Adapter) -> None:
    """The request has the schema; the one behind an answer that does not fit says what is wrong with it."""
    agent = AgentDefinition(instructions="Tell the weather.", output=Weather)
    wrong, right = '{"town": "Kiel"}', '{"town": "Kiel", "degrees": 12.5}'
    async with adapter.serve(Response(text=(wrong,)), Response(text=(right,))) as (models, server):
        transcript = await ask(agent, "Kiel?", model=adapter.setting, models=models)
    assert transcript.answer == right
    assert transcript.output == {"town": "Kiel", "degrees": 12.5}
    first, second = (request.body.decode() for request in server.requests)
    assert "degrees" in first
    assert "Field required" in second


async def test_openai_itself_is_asked_by_its_own_structured_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `response_format`; a server of the same protocol, which may not know that, is told in words."""
    agent = AgentDefinition(instructions="Tell the weather.", output=Weather)
    right = Response(text=('{"town": "Kiel", "degrees": 12.5}',))
    async with OPENAI.serve(right, right) as (models, server):
        await ask(agent, "Kiel?", model=OPENAI.setting, models=models)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        await ask(agent, "Kiel?", model="openai:gpt-4.1", models=Models(api_key="the-key"))
    other, own = (json.loads(request.body) for request in server.requests)
    assert "json_schema" not in json.dumps(other.get("response_format"))
    assert "degrees" in json.dumps(other["messages"])
    assert own["response_format"]["type"] == "json_schema"
    assert set(own["response_format"]["json_schema"]["schema"]["properties"]) == {"town", "degrees"}
    assert "degrees" not in json.dumps(own["messages"])
