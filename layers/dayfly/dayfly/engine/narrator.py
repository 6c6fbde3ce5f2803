"""Tells the client what the agent does: the one place where lifecycle events of a running agent are emitted."""

from collections.abc import AsyncIterator

from dayfly.agents.protocol import (
    Agent,
    AgentEvent,
    Answered,
    Delta,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.engine.agent_host import AgentHost
from dayfly.errors import AgentFailed
from dayfly.protocol.events import AgentThinking, ToolCompleted, ToolExecuting, ToolStatus
from dayfly.protocol.signals import Phase
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.shaping import (
    SENTENCE_BYTES,
    cut,
    shown_parameters,
    shown_result,
    whole,
    whole_answer,
    whole_response,
)
from dayfly.runlog.messages import ToolOutcome

_STATUS: dict[ToolOutcome, ToolStatus] = {
    ToolOutcome.OK: "ok",
    ToolOutcome.ERROR: "error",
    ToolOutcome.DENIED: "denied",
}


class Narrator:
    """Drives an agent on its host's side, and emits what it yields on the engine's side, one after the other: the agent
    goes on only when the event before is taken."""

    def __init__(self, bridge: WebSocketBridge, host: AgentHost) -> None:
        self.phase = Phase.STARTING
        self.answer: Answered | None = None
        self._bridge = bridge
        self._host = host

    async def drive(self, agent: Agent, turn: Turn) -> None:
        """Runs the agent to its end. Call it where the agent is to run."""
        events = agent.run(turn)
        try:
            async for event in events:
                await self._cross(event)
        finally:
            await _close(events)

    async def _cross(self, event: AgentEvent) -> None:
        await self._host.call(lambda: self._take(event))

    async def _take(self, event: AgentEvent) -> None:
        if self.answer is not None:
            raise AgentFailed("The agent went on after its answer.")
        match event:
            case Delta(text):
                await self._bridge.say(text)
            case Thinking(reasoning, step):
                self.phase = Phase.MODEL
                await self._bridge.emit(AgentThinking(reasoning=cut(reasoning, SENTENCE_BYTES)[0], step_number=step))
            case Responded(message):
                self._bridge.note(whole_response(message))
            case ToolStarted(name, call_id, parameters):
                self.phase = Phase.TOOL
                shown = shown_parameters(parameters)
                executing = ToolExecuting(tool_name=whole(name), tool_call_id=whole(call_id), parameters=shown)
                await self._bridge.emit(executing)
            case ToolEnded(raw, execution_time_ms):
                answer = whole_answer(raw)
                completed = ToolCompleted(
                    tool_name=answer.name,
                    tool_call_id=answer.call_id,
                    status=_STATUS[answer.outcome],
                    result=shown_result(answer.content),
                    execution_time_ms=execution_time_ms,
                )
                await self._bridge.emit(completed, message=answer)
                self.phase = Phase.MODEL
            case Answered():
                self.phase = Phase.ENDING
                self.answer = event
            case _:
                raise AgentFailed(f"The agent gave something that is no event: {type(event).__name__}.")


async def _close(events: AsyncIterator[AgentEvent]) -> None:
    # An async generator that is left early keeps its model stream open until it is closed.
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()
