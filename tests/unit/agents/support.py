"""What the agents' tests share: a turn, and an agent over a model written in the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.retries import RetryPolicy
from dayfly.agents.pydantic.failures.stall_watch import StallLimits
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.protocol import AgentEvent, Turn
from dayfly.agents.sdk.tool_context import ToolFunction
from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.context.run_ref import RunRef
from dayfly.log.messages import Decision, Message
from dayfly.store.memory import MemoryTable
from dayfly.store.table import Table
from tests.fakes.ports import ManualClock

Piece = str | DeltaToolCalls
Script = Callable[[list[ModelMessage], AgentInfo], AsyncIterator[Piece]]


def context(*, user: str = "u-alice", run: str = "r-1") -> UserExecutionContext:
    return UserExecutionContext(
        ref=RunRef(user_id=user, tenant_id=user, thread_id="t-1", run_id=run),
        request_id="q-1",
        invocation_id="i-1",
        agent_name="tested",
        attempt=1,
        first_seq=2,
        deadline=1e9,
    )


def turn(
    text: str = "Go.",
    *,
    history: tuple[Message, ...] = (),
    resumed: tuple[Message, ...] = (),
    in_doubt: frozenset[str] = frozenset(),
    decisions: tuple[Decision, ...] = (),
    table: Table | None = None,
    clock: Clock | None = None,
    user: str = "u-alice",
    run: str = "r-1",
) -> Turn:
    return Turn(
        context=context(user=user, run=run),
        text=text,
        history=history,
        resumed=resumed,
        in_doubt=in_doubt,
        decisions=decisions,
        table=table or MemoryTable(),
        clock=clock or ManualClock(),
    )


AT_ONCE = RetryPolicy(between=lambda low, high: low)
"""Makes a request again without a wait, unless its provider asks for one."""


def agent_of(
    script: Script,
    *tools: ToolFunction | Tool,
    max_model_requests: int = 20,
    retries: RetryPolicy = AT_ONCE,
    stalls: StallLimits | None = None,
) -> PydanticAgent:
    """An agent whose model streams what `script` yields for each request."""

    @asynccontextmanager
    async def open_model() -> AsyncIterator[Model]:
        yield FunctionModel(stream_function=script)

    definition = AgentDefinition(instructions="Help.", tools=tools, max_model_requests=max_model_requests)
    return PydanticAgent(definition, open_model, retries=retries, stalls=stalls or StallLimits())


def responses(*replies: tuple[Piece, ...]) -> Script:
    """A model that gives these replies, one a request."""
    left = list(replies)

    async def script(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        for piece in left.pop(0):
            yield piece

    return script


def call(name: str, arguments: str = "{}", call_id: str = "c-1", *, place: int = 0) -> DeltaToolCalls:
    return {place: DeltaToolCall(name=name, json_args=arguments, tool_call_id=call_id)}


async def events_of(agent: PydanticAgent, given: Turn | None = None) -> list[AgentEvent]:
    return [event async for event in agent.run(given or turn())]


def kinds(events: list[AgentEvent]) -> list[type[AgentEvent]]:
    return [type(event) for event in events]


def assert_whole(messages: Sequence[ModelMessage]) -> None:
    """What any provider takes: behind a response stand the results of all of its calls, one each, and no other."""
    waiting: set[str] = set()
    for message in messages:
        if isinstance(message, ModelResponse):
            assert not waiting
            calls = [part.tool_call_id for part in message.parts if isinstance(part, ToolCallPart)]
            waiting = set(calls)
            assert len(waiting) == len(calls)
            continue
        for part in message.parts:
            if isinstance(part, ToolReturnPart):
                assert part.tool_call_id in waiting
                waiting.remove(part.tool_call_id)
            elif isinstance(part, UserPromptPart):
                assert not waiting
    assert not waiting


async def collect(events: AsyncIterator[AgentEvent], into: list[AgentEvent]) -> None:
    """Keeps what came, also where the run fails in the end."""
    async for event in events:
        into.append(event)  # noqa: PERF401  # a comprehension would lose what came before the error


async def run_ready_tasks() -> None:
    """Lets every task that can go on do so."""
    for _ in range(50):
        await asyncio.sleep(0)
