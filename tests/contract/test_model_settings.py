"""What settings of a model put into its provider's request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import pytest
from pydantic import JsonValue

from dayfly.agents.sdk import AgentDefinition, ModelFailed, ModelSettings, Responded
from dayfly.agents.sdk.testing import ask
from dayfly.agents.tools import calculate
from tests.contract import anthropic_adapter
from tests.contract.all_model_adapters import ADAPTERS
from tests.contract.anthropic_adapter import Anthropic
from tests.contract.azure_adapter import Azure
from tests.contract.google_adapter import Google, chunk
from tests.contract.model_adapters import Adapter, Bedrock, OpenAI, Response
from tests.contract.model_server import Reply, model_server

HELLO: Final = Response(text=("Hi.",))

each_provider = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)


async def sent(
    adapter: Adapter, settings: ModelSettings | None, deployment: ModelSettings | None = None
) -> dict[str, JsonValue]:
    """The body of the request that an agent with these settings makes."""
    agent = AgentDefinition(instructions="Answer briefly.", tools=(calculate,), settings=settings)
    async with adapter.serve(HELLO) as (models, server):
        told = replace(models, settings=deployment or ModelSettings())
        await ask(agent, "Hello", model=adapter.setting, models=told)
    return server.requests[0].json()


def within(body: JsonValue, expected: JsonValue) -> bool:
    """Whether the body has all of the expected fields, whatever else it has."""
    if isinstance(expected, dict) and isinstance(body, dict):
        return all(name in body and within(body[name], value) for name, value in expected.items())
    return body == expected


COMMON: Final = ModelSettings(max_tokens=100, temperature=0.5, top_p=0.9, stop=("END",))
CHAT: Final[JsonValue] = {"max_completion_tokens": 100, "temperature": 0.5, "top_p": 0.9, "stop": ["END"]}


@pytest.mark.parametrize(
    ("adapter", "expected"),
    [
        (
            Bedrock(),
            {"inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}},
        ),
        (OpenAI(), CHAT),
        (Azure(), CHAT),
        (Anthropic(), {"max_tokens": 100, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["END"]}),
        (
            Google(),
            {"generationConfig": {"maxOutputTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}},
        ),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
async def test_what_all_providers_have(adapter: Adapter, expected: JsonValue) -> None:
    """Each is told by the name that its provider has for it; without settings nothing of it is said."""
    body = await sent(adapter, COMMON)
    if isinstance(expected, dict) and "max_completion_tokens" in expected and "max_completion_tokens" not in body:
        expected = {**{k: v for k, v in expected.items() if k != "max_completion_tokens"}, "max_tokens": 100}
    assert within(body, expected)
    plain = await sent(adapter, None)
    told = {*plain, *_names(plain.get("inferenceConfig")), *_names(plain.get("generationConfig"))}
    assert told.isdisjoint({"temperature", "topP", "top_p", "stop", "stop_sequences", "stopSequences"})


def _names(value: JsonValue) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


@each_provider
async def test_an_agents_settings_stand_over_the_deployments(adapter: Adapter) -> None:
    """Field by field, in one request."""
    body = str(await sent(adapter, ModelSettings(temperature=0.25), ModelSettings(temperature=0.75, top_p=0.125)))
    assert "0.25" in body
    assert "0.125" in body
    assert "0.75" not in body


BUDGET: Final[JsonValue] = {"thinking": {"type": "enabled", "budget_tokens": 2048}}


@pytest.mark.parametrize(
    ("setting", "adapter", "expected"),
    [
        (Bedrock.setting, Bedrock(), {"additionalModelRequestFields": BUDGET}),
        ("anthropic:claude-haiku-4-5", Anthropic(), BUDGET),
        (
            Google.setting,
            Google(),
            {"generationConfig": {"thinkingConfig": {"thinking_budget": 2048, "include_thoughts": True}}},
        ),
    ],
)
async def test_a_budget_of_thinking(setting: str, adapter: Adapter, expected: JsonValue) -> None:
    """It is told where its provider has one, and a most of tokens leaves room for it."""
    agent = AgentDefinition(instructions="Answer briefly.", settings=ModelSettings(thinking=2048))
    async with adapter.serve(HELLO) as (models, server):
        await ask(agent, "Hello", model=setting, models=models)
    assert within(server.requests[0].json(), expected)


@pytest.mark.parametrize(
    ("setting", "adapter", "path", "expected"),
    [
        ("openai:gpt-5.2", OpenAI(), ("reasoning_effort",), "high"),
        ("azure:gpt-5.2", Azure(), ("reasoning_effort",), "high"),
        ("anthropic:claude-opus-4-6", Anthropic(), ("output_config", "effort"), "high"),
        ("google:gemini-3-pro-preview", Google(), ("generationConfig", "thinkingConfig", "thinking_level"), "HIGH"),
    ],
)
async def test_an_effort_of_thinking(setting: str, adapter: Adapter, path: tuple[str, ...], expected: str) -> None:
    """It is told by its provider's own name for it, to a model that has one."""
    agent = AgentDefinition(instructions="Answer briefly.", settings=ModelSettings(thinking="high"))
    async with adapter.serve(HELLO) as (models, server):
        await ask(agent, "Hello", model=setting, models=models)
    found: JsonValue = server.requests[0].json()
    for name in path:
        assert isinstance(found, dict)
        found = found[name]
    assert found == expected


@each_provider
async def test_further_fields_of_the_request(adapter: Adapter) -> None:
    """They are sent as they were given; with Bedrock, in Converse's own place for what some models know."""
    body = await sent(adapter, ModelSettings(extra_body={"our_field": {"a": [1, None]}}))
    place = body["additionalModelRequestFields"] if adapter.name == "bedrock" else body
    assert within(place, {"our_field": {"a": [1, None]}})


@pytest.mark.parametrize("retention", [True, "1h"])
async def test_anthropic_is_told_what_to_cache(*, retention: bool | str) -> None:
    """Instructions and tools are marked, and the conversation as it grows; without the setting nothing is."""
    told = ModelSettings(prompt_cache="1h" if retention == "1h" else True)
    body = await sent(Anthropic(), told)
    mark: JsonValue = {"type": "ephemeral", "ttl": "1h" if retention == "1h" else "5m"}
    system, tools = body["system"], body["tools"]
    assert isinstance(system, list)
    assert isinstance(tools, list)
    assert within(system[-1], {"cache_control": mark})
    assert within(tools[-1], {"cache_control": mark})
    assert within(body, {"cache_control": mark})
    assert "cache_control" not in str(await sent(Anthropic(), None))


async def test_bedrock_is_told_what_to_cache() -> None:
    """Cache points stand behind instructions, tools and the newest message."""
    body = await sent(Bedrock(), ModelSettings(prompt_cache=True))
    for part in (body["system"], body["toolConfig"], body["messages"]):
        assert "cachePoint" in str(part)
    assert "cachePoint" not in str(await sent(Bedrock(), None))


@pytest.mark.parametrize("adapter", [OpenAI(), Azure(), Google()], ids=lambda adapter: adapter.name)
async def test_who_caches_unasked_is_not_asked(adapter: Adapter) -> None:
    """The setting does no harm there."""
    assert await sent(adapter, ModelSettings(prompt_cache=True)) == await sent(adapter, None)


class CachingAnthropic(Anthropic):
    """Its responses were read from the cache in part."""

    def begun(self, *text: str) -> list[bytes]:
        usage: dict[str, JsonValue] = {
            "input_tokens": 3,
            "output_tokens": 1,
            "cache_read_input_tokens": 900,
            "cache_creation_input_tokens": 40,
        }
        return [anthropic_adapter.message_start(usage), *super().begun(*text)[1:]]

    def rest(self, response: Response) -> list[bytes]:
        return [*super().rest(response)[:-2], *anthropic_adapter.message_end("end_turn", {"output_tokens": 5})]


class CachingGoogle(Google):
    """Its responses were read from the cache in part."""

    def rest(self, response: Response) -> list[bytes]:
        usage: JsonValue = {
            "promptTokenCount": 943,
            "cachedContentTokenCount": 900,
            "candidatesTokenCount": 5,
            "totalTokenCount": 948,
        }
        return [chunk([], finish="STOP", usage=usage)]


@pytest.mark.parametrize(
    ("adapter", "written"), [(CachingAnthropic(), 40), (CachingGoogle(), 0)], ids=lambda one: getattr(one, "name", "")
)
async def test_tokens_of_the_cache_are_counted(adapter: Adapter, written: int) -> None:
    """What was read from the cache and written to it is part of the input, and told besides."""
    async with adapter.serve(HELLO) as (models, _):
        agent = AgentDefinition(instructions="x")
        transcript = await ask(agent, "Hello", model=adapter.setting, models=models)
    (responded,) = (one for one in transcript.events if isinstance(one, Responded))
    told = (responded.input_tokens, responded.output_tokens, responded.cache_read_tokens, responded.cache_write_tokens)
    assert told == (943, 5, 900, written)


@asynccontextmanager
async def silent_after(adapter: Adapter, *frames: bytes) -> AsyncIterator[str]:
    """A server that sends these frames, and then nothing for longer than anybody waits."""

    async def hangs(reply: Reply) -> None:
        if frames:
            await adapter.send(reply, *frames)
        await reply.closed()

    async with model_server(*[hangs] * 20) as server:
        yield server.url


@each_provider
@pytest.mark.parametrize(
    "settings",
    [ModelSettings(first_event_timeout=0.3), ModelSettings(request_timeout=0.3)],
    ids=["first event", "request"],
)
async def test_a_response_that_does_not_come_in_time(adapter: Adapter, settings: ModelSettings) -> None:
    """A run does not wait longer than it was told to, and may be tried again."""
    agent = AgentDefinition(instructions="x", settings=settings)
    async with silent_after(adapter) as url:
        with adapter.models(url) as models, pytest.raises(ModelFailed) as failure:
            await ask(agent, "Hello", model=adapter.setting, models=models)
    assert failure.value.retryable


@each_provider
async def test_a_silence_within_a_response(adapter: Adapter) -> None:
    """A connection that says nothing for as long as it was told counts as lost."""
    agent = AgentDefinition(instructions="x", settings=ModelSettings(silence_timeout=0.3))
    async with silent_after(adapter, *adapter.begun("Half ")) as url:
        with adapter.models(url) as models, pytest.raises(ModelFailed) as failure:
            await ask(agent, "Hello", model=adapter.setting, models=models)
    assert failure.value.retryable
