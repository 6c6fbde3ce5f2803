"""Each provider whose client is a layer of its own, from the model's server to a client and back."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.anthropic_adapter import Anthropic
from tests.contract.azure_adapter import Azure
from tests.contract.google_adapter import Google
from tests.contract.model_adapters import Adapter, Call, Response
from tests.contract.scripted_model import Ends, ScriptedModel, Streamed, scripted_model
from tests.live.kit.chat import Chat
from tests.live.kit.emulator import SHARED, EmulatorProcess, chatting, project
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, whole

ADAPTERS: tuple[Adapter, ...] = (Anthropic(), Google(), Azure())

ASKS = Response(
    text=("Let me ", "see. "), call=Call(call_id="call_1", name="calculate", arguments=('{"expres', 'sion": "6 * 7"}'))
)
ANSWERS = Response(text=("It is ", "42 ☀."), input_tokens=20, output_tokens=7)


@dataclass(frozen=True, slots=True)
class Provided:
    """An emulator whose agents ask this provider's server."""

    adapter: Adapter
    emulator: EmulatorProcess
    server: ScriptedModel

    def streamed(self, response: Response) -> Streamed:
        """How the provider's server sends it."""
        steps = (*self.adapter.begun(*response.text), *self.adapter.rest(response))
        return Streamed(self.adapter.content_type, steps)


@pytest.fixture(scope="module", params=ADAPTERS, ids=lambda adapter: adapter.name)
def provided(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provided]:
    """The application as it is deployed for this provider's model, and its key in the shell of who started it."""
    adapter: Adapter = request.param
    folder: Path = tmp_path_factory.mktemp(adapter.name)
    key = {"anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY", "azure": "AZURE_OPENAI_API_KEY"}[adapter.name]
    with scripted_model() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(key, "the-key")
        with chatting(
            project(folder),
            *("--pass", f"EngineFunction={key}"),
            *(*SHARED, f"Model={adapter.setting}", f"ModelBaseUrl={server.url}"),
            *("ModelApiVersion=2024-10-21", 'ModelSettings={"max_tokens": 321}'),
        ) as emulator:
            yield Provided(adapter, emulator, server)


@pytest.fixture
async def client(provided: Provided, user: str) -> AsyncIterator[Chat]:
    """A socket of the test's user."""
    async with Chat(provided.emulator.url, user) as opened:
        yield opened


async def test_a_tool_and_an_answer(provided: Provided, client: Chat) -> None:
    """The tool that the model's server asks for is carried out, its result is sent there with the key and the
    deployment's settings, and what the server then says is what the client sees, with its tokens."""
    provided.server.play(provided.streamed(ASKS), provided.streamed(ANSWERS))
    run = await accepted(client, "What is 6 * 7?", agent="assistant")
    events = await whole(client, run)
    end = events[-1]["payload"]
    assert (events[-1]["type"], end["result"], end["finish"]) == ("agent_completed", "It is 42 ☀.", "complete")
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (30, 12)
    assert viewed(events).said().endswith("It is 42 ☀.")
    first, second = provided.server.requests
    assert (first.path, second.path) == (provided.adapter.path, provided.adapter.path)
    assert "the-key" in str(first.headers)
    assert "321" in first.body.decode()
    assert "42" in second.body.decode()
    assert not any("the-key" in line for line in provided.emulator.lines)


async def test_a_cancel_closes_the_providers_connection(provided: Provided, client: Chat) -> None:
    """A run that is stopped in mid-sentence ends as cancelled with what was said, and the thread's next message is
    answered."""
    begun = Streamed(provided.adapter.content_type, (*provided.adapter.begun("Once upon "), Ends.STALLED))
    provided.server.play(begun, provided.streamed(ANSWERS))
    run = await accepted(client, "Tell me a story.", agent="assistant")
    await client.until(lambda frame: frame["type"] == "agent_delta")
    await client.ask("cancel", run_id=run["run_id"])
    end = await client.end_of(run["run_id"])
    assert end["type"] == "agent_cancelled"
    assert viewed(client.events(run["run_id"])).said() == "Once upon "
    following = await client.ask("run", text="Go on.", thread_id=run["thread_id"], agent="assistant")
    assert (await client.end_of(following["run_id"]))["payload"]["result"] == "It is 42 ☀."
