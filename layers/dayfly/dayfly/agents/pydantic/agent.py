"""The loop between model and tools, driven by pydantic-ai behind the narrow protocol."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final

import pydantic_ai
from pydantic_ai import Agent as LibraryAgent
from pydantic_ai import AgentRun, CallToolsNode, DeferredToolRequests, ModelRequestNode, RunContext, UsageLimits
from pydantic_ai.exceptions import UsageLimitExceeded
from pydantic_ai.messages import FunctionToolResultEvent, ToolReturnPart
from pydantic_ai.models import Model

from dayfly.agents.provider_errors import ProviderError
from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.failures.failures import explain
from dayfly.agents.pydantic.failures.model_failures import FailureKind, kind_of
from dayfly.agents.pydantic.failures.retries import RequestFailed, Retries, RetryPolicy
from dayfly.agents.pydantic.failures.stall_watch import StallLimits, StallWatch
from dayfly.agents.pydantic.hooks import LoopHooks
from dayfly.agents.pydantic.instructions import instructions_for
from dayfly.agents.pydantic.loop_start import already_answered, refuse_doubt, start_of
from dayfly.agents.pydantic.requests.model import RequestModel
from dayfly.agents.pydantic.responses.endings import ResponseBroken
from dayfly.agents.pydantic.structured_output import StructuredOutput
from dayfly.agents.pydantic.tools.argument_checks import ArgumentChecks
from dayfly.agents.pydantic.tools.tool_calls import ToolCalls
from dayfly.agents.pydantic.tools.toolbox import Call, Result, build_tool
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentEvent, Answered, Responded, Retrying, ToolEnded, Turn
from dayfly.errors import DayflyError
from dayfly.log.messages import Message

# The library greets the developer once a process by looking around in files and stack frames; an engine has no reader.
pydantic_ai.BANNER_ENABLED = False

RETRIES = 3
"""How often in a row a model may call a tool wrongly, or say nothing, before the run ends."""
_RETRIES: Final = RetryPolicy()
_STALLS: Final = StallLimits()

_log: Final = logging.getLogger(__name__)

Output = str | DeferredToolRequests
"""What a run of the library comes to."""

OpenModel = Callable[[], AbstractAsyncContextManager[Model]]
"""Opens a model for one run, on the run's own event loop, and closes its connections behind it."""


class PydanticAgent:
    """One agent for one run attempt."""

    def __init__(
        self,
        definition: AgentDefinition,
        open_model: OpenModel,
        *,
        retries: RetryPolicy = _RETRIES,
        stalls: StallLimits = _STALLS,
    ) -> None:
        """Takes what the agent is made of.

        Args:
            definition: Its instructions and tools.
            open_model: Is called inside `run`, so nothing is shared with another run or event loop but what the model's
                factory says it shares.
            retries: How often, and when, a request that failed is made again.
            stalls: How long the model may be silent.
        """
        self._definition = definition
        self._open_model = open_model
        self._output = StructuredOutput(definition.output) if definition.output is not None else None
        self._policy = retries
        self._stalls = stalls

    @staticmethod
    def check(definition: AgentDefinition) -> None:
        """Raises `ConfigurationError` for a tool, or a type of answer, that cannot be shown to a model."""
        if definition.output is not None:
            StructuredOutput(definition.output)
        for tool in definition.toolkit:
            build_tool(tool, _never)

    async def run(self, turn: Turn) -> AsyncGenerator[AgentEvent, None]:
        """See `Agent.run` of the protocol."""
        refuse_doubt(turn, self._definition)
        if (said := already_answered(turn.resumed)) is not None:
            output = self._output.value_of(said.text) if self._output is not None else None
            yield Answered(said.text, said.finish, output)
            return
        events: EventChannel[AgentEvent] = EventChannel()
        taken: list[Message] = []
        loop = asyncio.create_task(self._drive(turn, events, taken), name="agent")
        try:
            async for event in events.take():
                yield event
                if isinstance(event, Responded):
                    taken.append(event.message)
                elif isinstance(event, ToolEnded):
                    taken.append(event.answer)
            await loop
        finally:
            await _stop(loop)

    async def _drive(self, turn: Turn, events: EventChannel[AgentEvent], taken: Sequence[Message]) -> None:
        try:
            async with self._open_model() as model:
                await self._loop(turn, model, events, taken)
        except Exception as error:
            failure = explain(error, max_requests=self._definition.max_model_requests)
            if failure is error:
                raise
            raise failure from error
        finally:
            events.close()

    async def _loop(self, turn: Turn, model: Model, events: EventChannel[AgentEvent], taken: Sequence[Message]) -> None:
        """Runs the library's loop. Where a request to the model fails in a way that may pass, runs it anew, from what
        is in the journal by then (`taken`): as an engine does that goes on behind a lost one."""
        retries = Retries(turn, self._policy)
        instructions = await instructions_for(turn, self._definition.instructions)
        if self._output is not None:
            instructions = self._output.told(instructions, model, tools=bool(self._definition.toolkit))
        again = False
        while True:
            now = replace(turn, resumed=(*turn.resumed, *taken))
            asked = RequestModel(model, shrink=retries.shrink)
            try:
                return await self._library_run(now, asked, events, instructions, again=again)
            except RequestFailed as failed:
                retrying = retries.next(failed, completed=len(taken))
                if retrying is None:
                    failure = retries.last_words(failed)
                    failure.provider, failure.model = model.system, model.model_name
                    raise failure from failed.__cause__
                _note(turn, model, failed, retrying)
            await events.give(retrying)
            await asyncio.sleep(retrying.delay_s)
            again = True

    async def _library_run(
        self, turn: Turn, model: Model, events: EventChannel[AgentEvent], instructions: str, *, again: bool
    ) -> None:
        """Raises `RequestFailed` for what a request to the model fails with."""
        tools = self._definition.toolkit
        calls = ToolCalls(turn, events, tools)
        hooks = LoopHooks(
            turn, events, calls, wanted=self._output, show_reasoning=self._definition.show_reasoning, announced=again
        )
        agent = LibraryAgent(
            model,
            output_type=[str, DeferredToolRequests],
            name=turn.context.agent_name,
            instructions=instructions,
            deps_type=type(None),
            tools=[build_tool(tool, calls.call_tool) for tool in tools],
            retries=RETRIES,
            capabilities=[hooks, ArgumentChecks()],
        )
        start = start_of(turn)
        async with agent.iter(
            start.prompt,
            message_history=start.history,
            deferred_tool_results=start.open_calls,
            deps=None,
            usage=start.used,
            usage_limits=UsageLimits(request_limit=self._definition.max_model_requests),
        ) as run:
            async for node in run:
                if LibraryAgent.is_model_request_node(node):
                    await _request(node, run, events, hooks, StallWatch(self._stalls))
                elif LibraryAgent.is_call_tools_node(node):
                    await _call_tools(node, run, calls)
        result = run.result
        assert result is not None  # noqa: S101  the graph was walked to its end
        if isinstance(result.output, DeferredToolRequests):
            await calls.ask_user(result.output)
        else:
            await events.give(Answered(hooks.said.text, hooks.said.finish, hooks.output))


@dataclass(frozen=True, slots=True)
class PydanticAgentRecipe:
    """Makes a new agent for each run attempt: new tools, a new model wrapper, new connections."""

    definition: AgentDefinition
    open_model: OpenModel
    retries: RetryPolicy = _RETRIES
    stalls: StallLimits = _STALLS

    def __call__(self) -> PydanticAgent:
        return PydanticAgent(self.definition, self.open_model, retries=self.retries, stalls=self.stalls)


async def _never(run_context: RunContext[None], call: Call) -> Result:
    del run_context, call
    raise NotImplementedError("this tool was built to be looked at")


async def _request(
    node: ModelRequestNode[None, Output],
    run: AgentRun[None, Output],
    events: EventChannel[AgentEvent],
    hooks: LoopHooks,
    watch: StallWatch,
) -> None:
    """Makes one request to the model, and gives what it says as it comes."""
    hooks.watch = watch
    try:
        async with watch, node.stream(run.ctx) as stream:
            async for event in stream:
                watch.pause()  # the engine takes its time
                for piece in hooks.shown.pieces(event):
                    await events.give(piece)
                watch.heard()
    except UsageLimitExceeded:
        raise
    except ResponseBroken as broken:
        too_long = FailureKind.TOO_LONG.failure() if broken.reason == "too_long" else None
        raise RequestFailed(too_long or broken, broken.reason, None) from None
    except DayflyError:
        raise
    except Exception as error:
        # What the library does not know (a client's own errors, such as missing credentials) came from the model's side
        # all the same: no tool runs in this node.
        kind = kind_of(error)
        raise RequestFailed(kind.failure(), kind.reason, ProviderError.of(error)) from error


async def _call_tools(node: CallToolsNode[None, Output], run: AgentRun[None, Output], calls: ToolCalls) -> None:
    async with node.stream(run.ctx) as stream:
        async for event in stream:
            if isinstance(event, FunctionToolResultEvent) and isinstance(event.part, ToolReturnPart):
                await calls.end_call(event.part)


def _note(turn: Turn, model: Model, failed: RequestFailed, retrying: Retrying) -> None:
    """Logs one line on a request that is made again. What the last try failed with is logged by who ends the run."""
    asked: dict[str, str | int] = {"provider": model.system, "model": model.model_name, "retries": retrying.retry - 1}
    told = failed.told.fields if failed.told is not None else {}
    delay = {"reason": retrying.reason, "delay_ms": round(retrying.delay_s * 1000)}
    _log.warning("a request to the model is made again", extra={"run": turn.context.run_id} | delay | asked | told)


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancels the task, waits for its end, and takes its outcome, so that nothing outlives the run."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
