"""Hooks into pydantic-ai's loop around each request to the model: an event before it, and one with the response."""

import dataclasses
import logging
from typing import Final

from pydantic import JsonValue
from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext

from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.failures.stall_watch import StallWatch
from dayfly.agents.pydantic.requests.conversation import from_model_response
from dayfly.agents.pydantic.requests.tool_call_ids import ToolCallIds
from dayfly.agents.pydantic.responses.endings import carried_out, finish_of
from dayfly.agents.pydantic.responses.stream import ResponseStream
from dayfly.agents.pydantic.structured_output import OUTPUT_RETRIES, NotFitting, StructuredOutput
from dayfly.agents.pydantic.tools.tool_calls import ToolCalls
from dayfly.agents.sdk.protocol import AgentEvent, Responded, Retrying, Thinking, Turn
from dayfly.errors import ModelFailed
from dayfly.log.messages import AssistantSaid, TokenCount
from dayfly.protocol.events import Finish

_log: Final = logging.getLogger(__name__)


class LoopHooks(AbstractCapability[None]):
    """Gives the events of one attempt's requests to the model. An event is given, and taken by the engine, before the
    loop goes on to what follows from it. No event of the library's stream marks where a request begins, hence hooks."""

    def __init__(
        self,
        turn: Turn,
        events: EventChannel[AgentEvent],
        calls: ToolCalls,
        *,
        show_reasoning: bool = True,
        wanted: StructuredOutput | None = None,
        announced: bool = False,
    ) -> None:
        """`wanted` is the type that the answer must have, if it is to be structured; `announced`: the first request was
        told before, and is made again."""
        self.said = AssistantSaid("")
        """The last response."""
        self.output: dict[str, JsonValue] | None = None
        """The last response's value, if it is to be structured and is of the wanted type."""
        self.shown = ResponseStream()
        """Is given the events of the present response's stream."""
        self.watch: StallWatch | None = None
        """Of the present request."""
        self._show_reasoning = show_reasoning
        self._wanted = wanted
        self._unfit = 0
        """Answers in a row that did not fit."""
        self._unfit_tokens = TokenCount()
        """What the model counted for them: they are in no response of their own."""
        self._announced = announced
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
        if self._wanted is not None:
            request_context = self._wanted.asked_for(request_context)
        self.shown = ResponseStream(show_reasoning=self._show_reasoning)
        if not self._unfit:  # else `Retrying` has announced it
            self._requests += 1
            if not self._announced:
                reasoning = f"Working with what {_list(tools)} returned." if tools else "Reading the conversation."
                await self._events.give(Thinking(reasoning, self._requests))
        self._announced = False
        if self.watch is not None:
            self.watch.asked()
        return request_context

    async def after_model_request(
        self, ctx: RunContext[None], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Tells the whole response before anything that it asks for is done, and returns it as it goes on.

        Raises:
            ResponseBroken, ModelRefused: See `finish_of`.
            ModelRetry: It is an answer that is not of the wanted type: the library has the model try again.
            ModelFailed: So were those before it.
        """
        del ctx
        if self.watch is not None:
            self.watch.pause()
        for piece in self.shown.end():
            await self._events.give(piece)
        response = self.shown.settled(response)
        finish = finish_of(response)
        response = self._ids.named(carried_out(response, finish), request_context.model)
        said = dataclasses.replace(from_model_response(response), finish=finish)
        usage = response.usage
        counted = TokenCount(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
        if self._wanted is not None and said.text.strip() and not said.calls:
            said = await self._fitting(self._wanted, said, counted)
        self.said = said
        self._calls.asked_for(said)
        counted += self._unfit_tokens
        self._unfit, self._unfit_tokens = 0, TokenCount()
        await self._events.give(Responded(said, counted.input, counted.output, counted.cache_read, counted.cache_write))
        return response

    async def _fitting(self, wanted: StructuredOutput, said: AssistantSaid, counted: TokenCount) -> AssistantSaid:
        try:
            text, self.output = wanted.read(said.text)
        except NotFitting as wrong:
            if said.finish is not Finish.COMPLETE:
                return said  # it was cut off, and `finish` says so: the same request would be cut off again
            self._unfit += 1
            self._unfit_tokens += counted
            if self._unfit > OUTPUT_RETRIES:
                # Its cause quotes what the model said, which is in no log line.
                _log.warning("no answer fits the agent's output", extra={"reason": str(wrong)})
                raise ModelFailed("The model gave no answer of the form that the agent wants.") from None
            await self._events.give(Retrying("not_fitting", self._unfit, 0))
            raise ModelRetry(str(wrong)) from wrong
        return dataclasses.replace(said, text=text)


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
