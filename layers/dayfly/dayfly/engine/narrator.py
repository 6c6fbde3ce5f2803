"""Drives an agent and emits what it yields: text, requests to the model, responses, and tools."""

import asyncio
from collections.abc import Awaitable, Callable

from dayfly.agents.event_redaction import EventRedaction
from dayfly.agents.sdk.conduct import Conduct, begin_run, close_run
from dayfly.agents.sdk.protocol import (
    Agent,
    AgentEvent,
    Answered,
    Asked,
    Delta,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
)
from dayfly.agents.sdk.untold_responses import UntoldResponses
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.agent_host import AgentHost
from dayfly.engine.time_budget import TimeBudget
from dayfly.errors import AgentFailed
from dayfly.log.event_payloads import (
    agent_retrying,
    agent_thinking,
    tool_completed,
    tool_executing,
    tool_progress,
)
from dayfly.log.fold import Resumption
from dayfly.log.messages import Answer, TokenCount
from dayfly.log.redaction import sanitized_answer, sanitized_response
from dayfly.protocol.events import Usage
from dayfly.protocol.signals import Phase
from dayfly.text import sanitize


class Narrator:
    """Drives an agent on its host's side, and emits what it yields on the engine's side, one after the other: the agent
    goes on only when the event before is taken."""

    def __init__(
        self,
        bridge: WebSocketBridge,
        host: AgentHost,
        budget: TimeBudget,
        *,
        hold: Callable[[], Awaitable[None]],
        show_reasoning: bool = True,
    ) -> None:
        """`hold` returns when the run's lease is surely this engine's, and raises where it may not be. Without
        `show_reasoning` no piece of reasoning is emitted."""
        self.phase = Phase.STARTING
        self.answer: Answered | Asked | None = None
        self.out_of_time = asyncio.Event()
        """Set when the next step does not fit into the time left. The agent then waits until it is cancelled."""
        self.last_word = asyncio.Event()
        """Set when there is an answer, or a question."""
        self.requests = 0
        self.tokens = TokenCount()
        self._running: dict[str, str] = {}
        """The names of the tools that run, by their calls' ids."""
        self._untold = UntoldResponses()
        self._bridge = bridge
        self._host = host
        self._budget = budget
        self._hold = hold
        self._show_reasoning = show_reasoning

    async def drive(self, agent: Agent, turn: Turn) -> None:
        """Runs the agent to its end. Call it where the agent is to run. Raises what the agent raises, and `AgentFailed`
        where it does not keep to its protocol."""
        conduct = Conduct(turn.resumed, decisions=turn.decisions)
        redaction = EventRedaction(turn.secrets.values)
        self._untold = UntoldResponses(turn.resumed)
        try:
            events = begin_run(agent, turn)
            try:
                async for event in events:
                    for shown in redaction.events(conduct.taken(event)):
                        await self._cross(shown)
            finally:
                await close_run(events)
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            # Nobody cancelled the agent: something that it waited for was cancelled, and it let that through.
            raise AgentFailed("The agent broke off.") from error

    def usage_after(self, earlier: Resumption) -> Usage:
        """What the model has counted over all attempts of the run, this one included."""
        tokens = earlier.tokens + self.tokens
        return Usage(
            requests=earlier.requests + self.requests,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cache_read,
            cache_write_tokens=tokens.cache_write,
        )

    async def _cross(self, event: AgentEvent) -> None:
        if self._show_reasoning or not isinstance(event, ReasoningDelta):
            await self._host.call(lambda: self._take(event))

    async def _take(self, event: AgentEvent) -> None:
        asks = self._note_untold(event)
        match event:
            case Delta(text):
                self.phase = Phase.MODEL
                await self._bridge.say(text)
            case ReasoningDelta(text):
                self.phase = Phase.MODEL
                await self._bridge.reason(text)
            case Thinking(reasoning, step):
                await self._between_steps()
                self.phase = Phase.MODEL
                await self._bridge.emit(agent_thinking(reasoning, step=step))
            case Retrying(reason, retry, delay_s):
                self.phase = Phase.RETRYING
                await self._bridge.emit(agent_retrying(reason, retry=retry, delay_ms=round(delay_s * 1000)))
                await self._between_steps(wait_s=delay_s)
            case Responded(message):
                counted = TokenCount(
                    event.input_tokens, event.output_tokens, event.cache_read_tokens, event.cache_write_tokens
                )
                self._bridge.note(sanitized_response(message), tokens=counted)
                self.requests += 1
                self.tokens += counted
                self._budget.progress()
                if message.calls:
                    await self._between_steps()
            case ToolStarted(name, call_id, parameters):
                self.phase = Phase.TOOL
                announced = tool_executing(name, call_id, parameters)
                if asks:
                    await self._between_steps()
                await self._hold()
                await self._bridge.emit(announced)
                # It is in the log, but this process may have been frozen since: another engine may be at work.
                await self._hold()
                self._running[call_id] = name
            case ToolProgress(call_id, message):
                await self._bridge.emit(tool_progress(self._running[call_id], call_id, message))
            case ToolEnded(raw, execution_time_ms):
                answer = sanitized_answer(raw)
                self._running.pop(raw.call_id, None)
                await self._bridge.emit(tool_completed(answer, took_ms=execution_time_ms), message=answer)
                self._budget.progress()
                self.phase = Phase.MODEL
            case Answered() | Asked():
                self.phase = Phase.ENDING
                self.answer = event
                self.last_word.set()

    def _note_untold(self, event: AgentEvent) -> bool:
        """Notes the response that the event follows from and that the agent has not told, if there is one. Returns
        whether it asks for tools."""
        untold = self._untold.before(event)
        if untold is None:
            return False
        if isinstance(untold, Answer):
            self._bridge.note(Answer(sanitize(untold.text), untold.finish))
            return False
        self._bridge.note(sanitized_response(untold), told=False)
        return bool(untold.calls)

    async def _between_steps(self, *, wait_s: float = 0.0) -> None:
        if not self._budget.another_step_fits(wait_s=wait_s):
            self.out_of_time.set()
            await asyncio.Event().wait()  # until the agent is stopped
        await self._hold()
