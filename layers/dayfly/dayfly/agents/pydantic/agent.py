"""The loop between model and tools, driven by pydantic-ai behind the narrow protocol."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pydantic_ai
from pydantic_ai import Agent as LibraryAgent
from pydantic_ai import AgentRun, DeferredToolRequests, RunContext, UsageLimits
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import FunctionToolResultEvent, ToolReturnPart
from pydantic_ai.models import Model

from dayfly.agents.pydantic.argument_checks import ArgumentChecks
from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.failures import explain
from dayfly.agents.pydantic.hooks import LoopHooks
from dayfly.agents.pydantic.instructions import instructions_for
from dayfly.agents.pydantic.loop_start import already_answered, refuse_doubt, start_of
from dayfly.agents.pydantic.request_model import RequestModel
from dayfly.agents.pydantic.structured_output import StructuredOutput
from dayfly.agents.pydantic.tool_calls import ToolCalls
from dayfly.agents.pydantic.toolbox import Call, Result, build_tool
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentEvent, Answered, Turn
from dayfly.errors import DayflyError, ModelFailed

# The library greets the developer once a process by looking around in files and stack frames; an engine has no reader.
pydantic_ai.BANNER_ENABLED = False

RETRIES = 3
"""How often in a row a model may call a tool wrongly, or say nothing, before the run ends."""

OpenModel = Callable[[], AbstractAsyncContextManager[Model]]
"""Opens a model for one run, on the run's own event loop, and closes its connections behind it."""


class PydanticAgent:
    """One agent for one run attempt."""

    def __init__(self, definition: AgentDefinition, open_model: OpenModel) -> None:
        """Takes what the agent is made of.

        Args:
            definition: Its instructions and tools.
            open_model: Is called inside `run`, so nothing is shared with another run or event loop but what the model's
                factory says it shares.
        """
        self._definition = definition
        self._open_model = open_model
        self._output = StructuredOutput(definition.output) if definition.output is not None else None

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
        loop = asyncio.create_task(self._drive(turn, events), name="agent")
        try:
            async for event in events.take():
                yield event
            await loop
        finally:
            await _stop(loop)

    async def _drive(self, turn: Turn, events: EventChannel[AgentEvent]) -> None:
        try:
            async with self._open_model() as model:
                await self._loop(turn, model, events)
        except Exception as error:
            failure = explain(error, max_requests=self._definition.max_model_requests)
            if failure is error:
                raise
            raise failure from error
        finally:
            events.close()

    async def _loop(self, turn: Turn, model: Model, events: EventChannel[AgentEvent]) -> None:
        tools = self._definition.toolkit
        instructions = await instructions_for(turn, self._definition.instructions)
        if self._output is not None:
            instructions = self._output.told(instructions, model, tools=bool(tools))
        calls = ToolCalls(turn, events, tools)
        hooks = LoopHooks(turn, events, calls, wanted=self._output, show_reasoning=self._definition.show_reasoning)
        agent = LibraryAgent(
            RequestModel(model),
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
            await _walk(run, hooks, calls, events)
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

    def __call__(self) -> PydanticAgent:
        return PydanticAgent(self.definition, self.open_model)


async def _never(run_context: RunContext[None], call: Call) -> Result:
    del run_context, call
    raise NotImplementedError("this tool was built to be looked at")


async def _walk(
    run: AgentRun[None, str | DeferredToolRequests],
    hooks: LoopHooks,
    calls: ToolCalls,
    events: EventChannel[AgentEvent],
) -> None:
    async for node in run:
        if LibraryAgent.is_model_request_node(node):
            try:
                async with node.stream(run.ctx) as stream:
                    async for event in stream:
                        for piece in hooks.shown.pieces(event):
                            await events.give(piece)
            except (AgentRunError, DayflyError):
                raise
            except Exception as error:
                # What the library does not wrap (a client's own errors, such as missing credentials) came from the
                # model's side all the same: no tool runs in this node.
                raise ModelFailed("The model failed.") from error
        elif LibraryAgent.is_call_tools_node(node):
            async with node.stream(run.ctx) as stream:
                async for event in stream:
                    if isinstance(event, FunctionToolResultEvent) and isinstance(event.part, ToolReturnPart):
                        await calls.end_call(event.part)


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancels the task, waits for its end, and takes its outcome, so that nothing outlives the run."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
