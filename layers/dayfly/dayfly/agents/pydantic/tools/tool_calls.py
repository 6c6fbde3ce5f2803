"""Carries out the tool calls of one attempt, with an event before each call and one after it."""

import asyncio
import dataclasses
import json
import logging
from collections.abc import Awaitable, Iterable
from typing import Final

from pydantic import JsonValue
from pydantic_ai import DeferredToolRequests, RunContext
from pydantic_ai.exceptions import ApprovalRequired, ModelRetry, ToolFailed
from pydantic_ai.messages import ToolReturnPart

from dayfly.agents.notes import NoteRefused
from dayfly.agents.pydantic.event_channel import EventChannel
from dayfly.agents.pydantic.failures.failures import ToolFailures
from dayfly.agents.pydantic.requests.tool_results import content_of, read_result
from dayfly.agents.pydantic.tools.progress import CallProgress
from dayfly.agents.pydantic.tools.retries import ToolRetries
from dayfly.agents.pydantic.tools.toolbox import Call, Result
from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import AgentEvent, Asked, OpenCall, ToolEnded, ToolStarted, Turn
from dayfly.agents.sdk.tool_context import ToolContext, ToolError, ToolRetry
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome
from dayfly.text import sanitize

_log: Final = logging.getLogger(__name__)

_DOUBT: Final = "Whether it took effect is not known."


class ToolCalls:
    """The tool calls of one attempt. An event is given, and taken by the engine, before the loop goes on to what
    follows from it; a call that needs approval waits for it."""

    def __init__(self, turn: Turn, events: EventChannel[AgentEvent], tools: Iterable[Tool] = ()) -> None:
        self._turn = turn
        self._events = events
        self._tools = {tool.name: tool for tool in tools}
        self._approved = {decision.call_id for decision in turn.decisions if decision.approved}
        said = [message for message in turn.resumed if isinstance(message, AssistantSaid)]
        self._calls: dict[str, ToolCall] = {call.call_id: call for message in said for call in message.calls}
        self._ended = {message.call_id for message in turn.resumed if isinstance(message, ToolAnswered)}
        self._failures = ToolFailures(turn.resumed)
        self._retries = ToolRetries(turn.resumed)

    def asked_for(self, said: AssistantSaid) -> None:
        """Notes the calls of a response."""
        self._calls |= {call.call_id: call for call in said.calls}

    def end_response(self) -> tuple[str, ...]:
        """Names the tools that the present response called. Raises `AgentFailed` where a tool keeps failing."""
        self._retries.end_response()
        return self._failures.end_response()

    async def call_tool(self, run_context: RunContext[None], call: Call) -> Result:
        """Carries out one call and returns the result: its text, and files that the model can look at.

        Raises:
            ToolFailed: The tool failed. The library tells the model.
            ApprovalRequired: The user has not decided on the call. A resumed attempt is led here with all open calls.
        """
        call_id = run_context.tool_call_id or ""
        tool = self._tools[run_context.tool_name or ""]
        if tool.requires_approval and call_id not in self._approved:
            raise ApprovalRequired
        await self._events.give(ToolStarted(tool.name, call_id, self._parameters(call_id)))
        started = self._turn.clock.monotonic()
        async with CallProgress(call_id, self._events) as progress:
            context = ToolContext.of(self._turn, call_id, report=progress.tell)
            answer = await self._answer(tool, call_id, call(context))
        # The model, too, has no need of a secret, and its provider less.
        answer = dataclasses.replace(answer, content=self._turn.secrets.values.redact(answer.content))
        took_ms = round((self._turn.clock.monotonic() - started) * 1000)
        await self._end(answer, took_ms)
        if answer.outcome is not ToolOutcome.OK:
            raise ToolFailed(answer.content)
        return content_of(answer)

    async def end_call(self, result: ToolReturnPart) -> None:
        """Tells the end of a call that reached no tool, and so was not announced: the user denied it, there is no such
        tool, or its arguments do not fit; the last two are errors. Does nothing where `call_tool` has told the end."""
        if result.tool_call_id in self._ended:
            return
        outcome = ToolOutcome.DENIED if result.outcome == "denied" else ToolOutcome.ERROR
        content = result.model_response_str(wrap_if_error=False)
        await self._end(ToolAnswered(result.tool_call_id, result.tool_name, content, outcome), 0)

    async def ask_user(self, requests: DeferredToolRequests) -> None:
        """Gives the last event of an attempt that cannot go on until the user has decided on these calls."""
        calls = ((call.tool_name, call.tool_call_id) for call in requests.approvals)
        await self._events.give(Asked(tuple(OpenCall(name, call, self._parameters(call)) for name, call in calls)))

    async def _answer(self, tool: Tool, call_id: str, call: Awaitable[object]) -> ToolAnswered:
        limit = asyncio.timeout(tool.timeout_s)
        try:
            async with limit:
                return await self._result(tool, call_id, call)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            # Nobody cancelled this call: something that the tool waited for was cancelled.
            said = f"The tool {tool.name} broke off."
        except Exception:  # noqa: BLE001  # a tool is foreign code: the run outlives its failure, and the model is told
            if limit.expired():
                _log.warning("tool took too long", extra={"tool_name": tool.name, "timeout_s": tool.timeout_s})
                said = f"The tool {tool.name} did not finish within {tool.timeout_s:g} s. {_DOUBT}"
            else:
                _log.exception("tool failed", extra={"tool_name": tool.name})
                said = f"The tool {tool.name} failed unexpectedly."
        return ToolAnswered(call_id, tool.name, said, ToolOutcome.ERROR)

    async def _result(self, tool: Tool, call_id: str, call: Awaitable[object]) -> ToolAnswered:
        try:
            content, files = read_result(await call)
            return ToolAnswered(call_id, tool.name, content, files=files)
        except (ToolRetry, ModelRetry) as wrong:
            said, outcome = sanitize(str(wrong)), ToolOutcome.ERROR
            if self._retries.are_left(tool.name, most=tool.retries):
                said, outcome = f"{said}\n\nCorrect the call and try again.", ToolOutcome.RETRY
            else:
                said = f"{said}\n\nDo not try again."
        except (ToolError, NoteRefused, ToolFailed) as refusal:
            said, outcome = sanitize(str(refusal)), ToolOutcome.ERROR  # its `__str__` may be the tool's own, and raise
        return ToolAnswered(call_id, tool.name, said, outcome)

    async def _end(self, answer: ToolAnswered, execution_time_ms: int) -> None:
        self._ended.add(answer.call_id)
        self._failures.add(answer)
        self._retries.add(answer)
        await self._events.give(ToolEnded(answer, execution_time_ms))

    def _parameters(self, call_id: str) -> dict[str, JsonValue]:
        call = self._calls.get(call_id)
        parameters: dict[str, JsonValue] = json.loads(call.arguments) if call else {}
        return parameters
