"""Hooks into pydantic-ai's loop around each request to the model: an event before it, and one with the response."""

import dataclasses

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext

from dayfly.agents.pydantic.conversation import from_model_response
from dayfly.agents.pydantic.endings import carried_out, finish_of
from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.response_stream import ResponseStream
from dayfly.agents.pydantic.tool_call_ids import ToolCallIds
from dayfly.agents.pydantic.tool_calls import ToolCalls
from dayfly.agents.sdk.protocol import AgentEvent, Responded, Thinking, Turn
from dayfly.log.messages import AssistantSaid
from dayfly.protocol.events import Finish


class LoopHooks(AbstractCapability[None]):
    """Gives the events of one attempt's requests to the model. An event is given, and taken by the engine, before the
    loop goes on to what follows from it. No event of the library's stream marks where a request begins, hence hooks."""

    def __init__(
        self, turn: Turn, events: EventChannel[AgentEvent], calls: ToolCalls, *, show_reasoning: bool = True
    ) -> None:
        self.finish = Finish.COMPLETE
        """How the last response ended."""
        self.shown = ResponseStream()
        """Is given the events of the present response's stream."""
        self._show_reasoning = show_reasoning
        self._events = events
        self._calls = calls
        self._ids = ToolCallIds(turn)
        self._requests = sum(isinstance(message, AssistantSaid) for message in turn.resumed)

    async def before_model_request(
        self, ctx: RunContext[None], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Tells that the model is about to be asked.

        Raises:
            AgentFailed: A tool keeps failing.
        """
        del ctx
        tools = self._calls.end_response()
        self._requests += 1
        self.shown = ResponseStream(show_reasoning=self._show_reasoning)
        reasoning = f"Working with what {_list(tools)} returned." if tools else "Reading the conversation."
        await self._events.give(Thinking(reasoning, self._requests))
        return request_context

    async def after_model_request(
        self, ctx: RunContext[None], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Tells the whole response before anything that it asks for is done, and returns it as it goes on.

        Raises:
            ResponseBroken, ModelRefused: See `finish_of`.
        """
        del ctx
        for piece in self.shown.end():
            await self._events.give(piece)
        response = self.shown.settled(response)
        self.finish = finish_of(response)
        response = self._ids.named(carried_out(response, self.finish), request_context.model)
        said = dataclasses.replace(from_model_response(response), finish=self.finish)
        self._calls.asked_for(said)
        usage = response.usage
        await self._events.give(
            Responded(said, usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
        )
        return response


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
