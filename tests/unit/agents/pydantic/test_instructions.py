"""Instructions that are a function of whose run it is."""

import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel

from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.sdk.agent_context import AgentContext
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import Answered
from dayfly.errors import AgentFailed, ConfigurationError, ModelFailed
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall
from tests.unit.agents.support import AT_ONCE, Piece, call, events_of, turn


class Asked:
    """An agent that calls a tool, then answers, and keeps which instructions each request had."""

    def __init__(self, instructions: Any) -> None:
        self.given: list[str | None] = []

        def look() -> str:
            """Looks."""
            return "seen"

        async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
            last = messages[-1]
            assert isinstance(last, ModelRequest)
            self.given.append(last.instructions)
            yield call("look") if len(self.given) == 1 else "Done."

        @asynccontextmanager
        async def open_model() -> AsyncIterator[Model]:
            yield FunctionModel(stream_function=script)

        self.agent = PydanticAgent(AgentDefinition(instructions=instructions, tools=(look,)), open_model)


async def test_a_plain_function_gives_the_instructions_of_its_users_run() -> None:
    """It is called once, in a thread of its own since it may block, and every request has what it gave."""
    threads: list[threading.Thread] = []

    def instructions(context: AgentContext) -> str:
        threads.append(threading.current_thread())
        ids = context.context
        return f"Help {ids.user_id} in {ids.thread_id} as {ids.agent_name}, attempt {ids.attempt}: {context.text}"

    asked = Asked(instructions)
    assert (await events_of(asked.agent, turn("Go.", user="u-bob")))[-1] == Answered("Done.")
    assert asked.given == ["Help u-bob in t-1 as tested, attempt 1: Go."] * 2
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_an_async_function_may_look_something_up() -> None:
    """Here the user's own notes, and nobody else's."""

    async def instructions(context: AgentContext) -> str:
        await context.notes.add("I speak Low German.", at=context.clock.now_ms(), idempotency_key="n")
        return " ".join(note.text for note in await context.notes.all())

    asked = Asked(instructions)
    await events_of(asked.agent)
    assert asked.given == ["I speak Low German."] * 2


async def test_a_function_may_hand_an_awaitable_back() -> None:
    """As a lambda around an async one does."""

    async def later(context: AgentContext) -> str:
        return f"Help {context.context.user_id}."

    def instructions(context: AgentContext) -> Awaitable[str]:
        return later(context)

    asked = Asked(instructions)
    await events_of(asked.agent)
    assert asked.given == ["Help u-alice."] * 2


async def test_each_attempt_makes_them_anew() -> None:
    """A resumed one as well."""
    calls: list[int] = []

    def instructions(context: AgentContext) -> str:
        calls.append(context.context.attempt)
        return "Help."

    resumed = (AssistantSaid("", (ToolCall("a", "look", "{}"),)), ToolAnswered("a", "look", "seen"))
    asked = Asked(instructions)
    asked.given.append(None)
    assert (await events_of(asked.agent, turn(resumed=resumed)))[-1] == Answered("Done.")
    assert asked.given[1:] == ["Help."]
    assert len(calls) == 1


async def test_an_error_in_them_is_the_agents_failure() -> None:
    """What it says stays in the cause, for the log; the model is not asked."""

    def instructions(context: AgentContext) -> str:
        raise KeyError("hunter2")

    asked = Asked(instructions)
    with pytest.raises(AgentFailed, match=r"The agent's instructions could not be made\.") as failure:
        await events_of(asked.agent)
    assert isinstance(failure.value.__cause__, KeyError)
    assert asked.given == []


async def test_an_error_that_names_its_code_keeps_it() -> None:
    """A developer may say what the client is to be told."""

    async def instructions(context: AgentContext) -> str:
        raise ModelFailed("The prompt store does not answer.")

    with pytest.raises(ModelFailed, match="The prompt store"):
        await events_of(Asked(instructions).agent)


@pytest.mark.parametrize("given", ["", "  \n", None, 5, b"Help."])
async def test_what_is_no_text_is_told(given: Any) -> None:
    """No request goes out without instructions."""
    asked = Asked(lambda context: given)
    with pytest.raises(AgentFailed, match="a function that gave no text"):
        await events_of(asked.agent)
    assert asked.given == []


@pytest.mark.parametrize("instructions", ["", "  ", None, 5])
def test_a_definition_has_text_or_a_function(instructions: Any) -> None:
    """Anything else is refused at once."""
    with pytest.raises(ConfigurationError, match="an agent has instructions"):
        AgentDefinition(instructions=instructions)


async def test_they_are_asked_for_once_however_often_a_request_is_made_again() -> None:
    """A retry has the instructions that the attempt began with."""
    asked: list[str] = []
    requests: list[str | None] = []

    def instructions(context: AgentContext) -> str:
        asked.append(type(context).__name__)
        return f"Help, for the {len(asked)}. time."

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        last = messages[-1]
        assert isinstance(last, ModelRequest)
        requests.append(last.instructions)
        if len(requests) < 3:
            raise ConnectionResetError("peer")
        yield "Done."

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        yield FunctionModel(stream_function=script)

    agent = PydanticAgent(AgentDefinition(instructions=instructions), open_model, retries=AT_ONCE)
    await events_of(agent)
    assert len(asked) == 1
    assert requests == ["Help, for the 1. time."] * 3
