"""Whatever a thread holds, providers take the requests: checked on the bytes that their servers receive."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass

import boto3
import openai
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from dayfly.agents.models.factory import Models
from dayfly.agents.pydantic.agent import OpenModel, PydanticAgent
from dayfly.agents.pydantic.loop_start import already_answered
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.protocol import Asked
from dayfly.errors import DayflyError
from dayfly.log.messages import Decision
from tests.contract import bedrock_wire, openai_wire
from tests.contract.conversations import Conversation, conversations
from tests.contract.model_server import Answer
from tests.contract.scripted_model import ScriptedModel, scripted_model
from tests.contract.validators.anthropic_messages import check_anthropic_messages
from tests.contract.validators.converse import check_converse
from tests.contract.validators.generate_content import check_generate_content
from tests.contract.validators.openai_chat import check_openai_chat, check_strict_template
from tests.contract.validators.rfc8259 import strictly_loaded
from tests.contract.validators.shapes import Object, an_object
from tests.unit.agents.support import collect, turn

EXAMPLES = int(os.environ.get("REQUEST_EXAMPLES", "30"))
ODD_ARGUMENTS = '{"x": NaN, "y": [1e999, "\\ud83d"], "x": 2}'


def look(x: float | str | None = None, y: list[object] | None = None) -> object:
    """Looks."""
    return [float("nan"), float("inf"), "\ud83d", x, y]


def look_away() -> str:
    """Looks away."""
    return "\n"


TOOLS = (Tool(look, idempotent=True), Tool(look_away, idempotent=True))
WITH_TOOLS = AgentDefinition(instructions="Help.", tools=TOOLS)
WITHOUT_TOOLS = AgentDefinition(instructions="Help.")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider behind the loopback server: how its model is opened, what it answers, and what it takes."""

    opened: Callable[[str], AbstractContextManager[OpenModel]]
    check: Callable[[Object], None]
    answers: tuple[Answer, ...] = ()


@contextmanager
def _openai(url: str) -> Iterator[OpenModel]:
    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
            yield OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))

    yield open_model


def _opened(setting: str) -> Callable[[str], AbstractContextManager[OpenModel]]:
    return lambda url: nullcontext(Models(api_key="k", base_url=url)(setting))


@contextmanager
def _bedrock(url: str) -> Iterator[OpenModel]:
    client = boto3.client(
        "bedrock-runtime", region_name="eu-central-1", endpoint_url=url, aws_access_key_id="loopback",
        aws_secret_access_key="loopback", config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )  # fmt: skip
    yield Models(bedrock=client)("bedrock:eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
    client.close()


def _compatible(model_id: str) -> Callable[[str], AbstractContextManager[OpenModel]]:
    return lambda url: nullcontext(Models(base_url=f"{url}/v1")(f"openai:{model_id}"))


OPENAI_ANSWERS = (
    openai_wire.calls("look", ODD_ARGUMENTS, "call_0", text="\n\n"),
    openai_wire.stream(
        openai_wire.chunk({"reasoning_content": "Hm."}),
        openai_wire.tool_call("look", "{}", "call_0"),
        openai_wire.tool_call("look_away", "{}", "x" * 949, index=1),
        openai_wire.chunk({}, "tool_calls"),
        openai_wire.DONE,
    ),
    openai_wire.says("Done."),
)
OWN_IDS = frozenset({"call_0", "x" * 949})

BEDROCK_ANSWERS = (
    bedrock_wire.stream(
        bedrock_wire.START,
        *bedrock_wire.text("\n\n"),
        *bedrock_wire.tool_use("look", ODD_ARGUMENTS, call_id="tooluse_0"),
        *bedrock_wire.tool_use("look_away", call_id="tooluse_1", block=2),
        bedrock_wire.stop("tool_use"),
    ),
    bedrock_wire.says("Done."),
)

PROVIDERS = {
    "openai": Provider(_openai, lambda request: check_openai_chat(request, own_ids=OWN_IDS), OPENAI_ANSWERS),
    "template": Provider(
        _compatible("llama3.2"),
        lambda request: check_strict_template(request, nine=False, own_ids=OWN_IDS),
        OPENAI_ANSWERS,
    ),
    "mistral": Provider(
        _compatible("mistral-small"),
        lambda request: check_strict_template(request, nine=True),
        OPENAI_ANSWERS[:1] + OPENAI_ANSWERS[2:],
    ),
    "bedrock": Provider(_bedrock, check_converse, BEDROCK_ANSWERS),
    "anthropic": Provider(_opened("anthropic:claude-opus-4-6"), check_anthropic_messages),
    "google": Provider(_opened("google:gemini-3-pro-preview"), check_generate_content),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedModel]:
    with scripted_model() as started:
        yield started


async def _run(open_model: OpenModel, definition: AgentDefinition, said: Conversation) -> None:
    """One attempt; and one more, in which its user allows whatever was asked for."""
    decisions: tuple[Decision, ...] = ()
    for _ in range(2):
        given_turn = turn(said.text, history=said.history, resumed=said.resumed, decisions=decisions)
        events: list[object] = []
        try:
            await collect(PydanticAgent(definition, open_model).run(given_turn), events)  # type: ignore[arg-type]
        except DayflyError as error:
            event(type(error).__name__)
        if not isinstance(asked := events[-1] if events else None, Asked):
            return
        decisions = tuple(Decision(call.tool_call_id, approved=True) for call in asked.calls)


def _requests(server: ScriptedModel, provider: Provider, open_model: OpenModel, said: Conversation) -> int:
    """How many requests came of it, all of which the provider takes."""
    assume(already_answered(said.resumed) is None)
    count = 0
    for definition, answers in ((WITH_TOOLS, provider.answers), (WITHOUT_TOOLS, provider.answers[-1:])):
        server.play(*answers)
        asyncio.run(_run(open_model, definition, said))
        count += len(server.requests)
        for request in server.requests:
            provider.check(an_object(strictly_loaded(request.body), "the request"))
    event(f"{count} requests")
    return count


properties = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


@pytest.mark.parametrize("name", PROVIDERS)
def test_any_conversation_is_taken(server: ScriptedModel, name: str) -> None:
    """Before and within a run, with tools and without, wherever the thread has been before."""
    provider = PROVIDERS[name]
    counts: list[int] = []

    @properties
    @given(conversations())
    def check(said: Conversation) -> None:
        counts.append(_requests(server, provider, open_model, said))

    with provider.opened(server.url) as open_model:
        check()
    assert sum(map(bool, counts)) > len(counts) * 0.8, "most of them come to a request"
