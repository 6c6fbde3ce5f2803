"""Checks each event that an agent yields: its type, the types of its values, and its place in the protocol's order.

pydantic-ai's loop always passes; an agent with a loop of its own may not. Unchecked, its run would end with no outcome,
log an event that cannot be decoded, or run a tool twice.
"""

import json
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeVar, get_args

from dayfly.agents.sdk.protocol import (
    Agent,
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
)
from dayfly.errors import AgentFailed
from dayfly.log.event_payloads import MOST_COUNTED, MOST_FILES
from dayfly.log.messages import (
    AssistantSaid,
    Decision,
    Message,
    ProviderState,
    ToolAnswered,
    ToolCall,
    ToolFile,
    ToolOutcome,
)
from dayfly.log.redaction import SHOWN_DEPTH
from dayfly.protocol.call_ids import fitting_call_id
from dayfly.protocol.events import Finish, RetryReason

T = TypeVar("T")

_ID_SHOWN: Final = 64
"""Characters of an id or a name in an error's message."""
_ONCE: Final = "Within a run, each call has an id of its own and is asked for, started and ended once, in this order."
_OUTCOMES: Final = frozenset({ToolOutcome.OK, ToolOutcome.ERROR, ToolOutcome.RETRY, ToolOutcome.DENIED})


class AgentBrokeProtocol(AgentFailed):
    """The agent yielded what its protocol does not have, or does not have there. The message says what it was, and what
    the protocol wants there."""


class Conduct:
    """What one attempt's agent has done so far. `resumed` is what earlier attempts of the run have left, `decisions`
    what the user has decided on its open calls."""

    def __init__(self, resumed: Iterable[Message] = (), *, decisions: Iterable[Decision] = ()) -> None:
        self._decided = {decision.call_id for decision in decisions}
        self._asked_for: set[str] = set()
        self._running: set[str] = set()
        self._ended: set[str] = set()
        self._last_word = False
        for message in resumed:
            if isinstance(message, AssistantSaid):
                self._asked_for |= {call.call_id for call in message.calls}
            elif isinstance(message, ToolAnswered):
                self._ended.add(message.call_id)

    def taken(self, event: AgentEvent) -> AgentEvent:
        """The event, with ids that fit. Raises `AgentBrokeProtocol` for one that may not come, or not now."""
        if self._last_word:
            raise AgentBrokeProtocol("The agent went on after its answer. Nothing may follow `Answered` or `Asked`.")
        match event:
            case Delta(text):
                _text(text, "Delta.text")
            case ReasoningDelta(text):
                _text(text, "ReasoningDelta.text")
            case Thinking(reasoning, step):
                _text(reasoning, "Thinking.reasoning")
                _count(step, "Thinking.step", least=1)
            case Responded():
                return self._responded(event)
            case ToolStarted():
                return self._started(event)
            case Retrying():
                self._retrying(event)
            case ToolProgress():
                return self._progress(event)
            case ToolEnded():
                return self._tool_ended(event)
            case Answered(text, finish):
                _text(text, "Answered.text")
                _one_of(finish, Finish, "Answered.finish")
                _output(event.output)
                self._nothing_runs("answered")
                self._last_word = True
            case Asked():
                return self._asked(event)
            case _:
                raise AgentBrokeProtocol(
                    f"The agent gave something that is no event: {type(event).__name__}. "
                    "`run` yields the events of dayfly.agents.sdk."
                )
        return event

    def _responded(self, event: Responded) -> Responded:
        # Its result would stand behind the response that did not know it, where no model takes it.
        self._nothing_runs("told a response")
        _kind(event.message, AssistantSaid, "Responded.message")
        _text(event.message.text, "AssistantSaid.text")
        _count(event.input_tokens, "Responded.input_tokens")
        _count(event.output_tokens, "Responded.output_tokens")
        _count(event.cache_read_tokens, "Responded.cache_read_tokens")
        _count(event.cache_write_tokens, "Responded.cache_write_tokens")
        _one_of(event.message.finish, Finish, "AssistantSaid.finish")
        if event.message.state is not None:
            _kind(event.message.state, ProviderState, "AssistantSaid.state")
            _text(event.message.state.provider, "ProviderState.provider")
            _text(event.message.state.data, "ProviderState.data")
        calls: list[ToolCall] = []
        for call in _several(event.message.calls, ToolCall, "AssistantSaid.calls"):
            _text(call.name, "ToolCall.name")
            _text(call.arguments, "ToolCall.arguments")
            calls.append(replace(call, call_id=_id(call.call_id, "ToolCall.call_id")))
            if calls[-1].call_id in self._asked_for:
                raise _broken("asked twice for a tool call with the id", call.call_id, _ONCE)
            if calls[-1].call_id in self._ended:
                raise _broken("asked for a tool call that has ended:", call.call_id, _ONCE)
            self._asked_for.add(calls[-1].call_id)
        return replace(event, message=replace(event.message, calls=tuple(calls)))

    def _started(self, event: ToolStarted) -> ToolStarted:
        call_id = _id(event.tool_call_id, "ToolStarted.tool_call_id")
        _text(event.tool_name, "ToolStarted.tool_name")
        _parameters(event.parameters, "ToolStarted.parameters")
        if call_id in self._running or call_id in self._ended:
            raise _broken("started a tool call twice:", call_id, _ONCE)
        self._running.add(call_id)
        return replace(event, tool_call_id=call_id)

    def _retrying(self, event: Retrying) -> None:
        self._nothing_runs("tried its model's request again")
        if event.reason not in get_args(RetryReason):
            raise AgentBrokeProtocol(
                "The agent gave a Retrying.reason that the protocol does not have. "
                f"It is one of {', '.join(get_args(RetryReason))}."
            )
        _count(event.retry, "Retrying.retry", least=1)
        if not isinstance(event.delay_s, int | float) or not 0 <= event.delay_s <= MOST_COUNTED:
            raise AgentBrokeProtocol("The agent gave no number of seconds, 0 or more, as Retrying.delay_s.")

    def _progress(self, event: ToolProgress) -> ToolProgress:
        call_id = _id(event.tool_call_id, "ToolProgress.tool_call_id")
        _text(event.message, "ToolProgress.message")
        if call_id not in self._running:
            raise _broken(
                "told the progress of a tool call that does not run:",
                call_id,
                "`ToolProgress` comes between `ToolStarted` and `ToolEnded`.",
            )
        return replace(event, tool_call_id=call_id)

    def _tool_ended(self, event: ToolEnded) -> ToolEnded:
        answer = event.answer
        _kind(answer, ToolAnswered, "ToolEnded.answer")
        call_id = _id(answer.call_id, "ToolAnswered.call_id")
        _text(answer.name, "ToolAnswered.name")
        _text(answer.content, "ToolAnswered.content")
        _files(answer.files)
        _count(event.execution_time_ms, "ToolEnded.execution_time_ms")
        _text(answer.outcome, "ToolAnswered.outcome")
        if answer.outcome not in _OUTCOMES:
            raise AgentBrokeProtocol(
                "The agent ended a tool call as neither ok, error, retry nor denied. "
                "`ToolAnswered.outcome` is one of these."
            )
        if call_id in self._ended:
            raise _broken("ended a tool call twice:", call_id, _ONCE)
        if call_id not in self._running and answer.outcome == ToolOutcome.OK:
            raise _broken(
                "ended a tool call that it had not started:",
                call_id,
                "Only a denied call, or an error, ends without a `ToolStarted`.",
            )
        self._running.discard(call_id)
        self._ended.add(call_id)
        # Built anew: an outcome may be given by its text, and the journal has it as what it is.
        return replace(event, answer=replace(answer, call_id=call_id, outcome=ToolOutcome(answer.outcome)))

    def _asked(self, event: Asked) -> Asked:
        self._nothing_runs("asked its user")
        calls: list[OpenCall] = []
        for call in _several(event.calls, OpenCall, "Asked.calls"):
            _text(call.tool_name, "OpenCall.tool_name")
            _parameters(call.parameters, "OpenCall.parameters")
            calls.append(replace(call, tool_call_id=_id(call.tool_call_id, "OpenCall.tool_call_id")))
            if calls[-1].tool_call_id in self._ended:
                raise _broken("asked for approval of a tool call that has ended:", call.tool_call_id, _ONCE)
            if calls[-1].tool_call_id in self._decided:
                # The first decision counts: another one would be taken from the user, and do nothing.
                raise _broken(
                    "asked for approval of a tool call that its user has decided on:",
                    call.tool_call_id,
                    "`Turn.decisions` has the decision.",
                )
        if not calls:
            raise AgentBrokeProtocol(
                "The agent asked its user, but for the approval of no tool call. `Asked.calls` names at least one."
            )
        if len({call.tool_call_id for call in calls}) < len(calls):
            raise AgentBrokeProtocol(
                "The agent asked for approval of one tool call twice. Each call in `Asked.calls` has an id of its own."
            )
        self._last_word = True
        return replace(event, calls=tuple(calls))

    def _nothing_runs(self, did: str) -> None:
        if self._running:
            raise _broken(
                f"{did} while a tool call had not ended:", min(self._running), "Its `ToolEnded` comes before."
            )


def begin_run(agent: Agent, turn: Turn) -> AsyncIterator[AgentEvent]:
    """The agent's events. Raises `AgentBrokeProtocol` where its `run` gives no iterator of them."""
    events: object = agent.run(turn)
    if isinstance(events, AsyncIterator):
        return events
    if isinstance(events, Coroutine):
        events.close()  # else the interpreter warns that nobody has awaited it
    given = type(events).__name__
    hint = "It is not an `async def`?" if isinstance(events, Iterator) else "It has no `yield`?"
    raise AgentBrokeProtocol(f"The agent's `run` gave {given}, not an async iterator of events. {hint}")


async def close_run(events: AsyncIterator[AgentEvent]) -> None:
    """Closes the iterator: an async generator that is left early keeps its model's stream open until it is closed."""
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()


def _broken(what: str, call_id: str, rule: str) -> AgentBrokeProtocol:
    return AgentBrokeProtocol(f"The agent {what} {call_id[:_ID_SHOWN]!r}. {rule}")


def _kind(value: object, kind: type, where: str) -> None:
    if not isinstance(value, kind):
        raise AgentBrokeProtocol(f"The agent gave {type(value).__name__} as {where}, not {kind.__name__}.")


def _text(value: object, where: str) -> None:
    _kind(value, str, where)


def _one_of(value: object, kind: type[StrEnum], where: str) -> None:
    if not isinstance(value, kind):
        raise AgentBrokeProtocol(f"The agent gave {type(value).__name__} as {where}, not {kind.__name__}.")


def _id(value: str, where: str) -> str:
    _text(value, where)
    if not value:
        raise AgentBrokeProtocol(f"The agent gave no {where}. It is a text that is not empty.")
    return fitting_call_id(value)


def _count(value: object, where: str, *, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_COUNTED:
        raise AgentBrokeProtocol(f"The agent gave no whole number from {least} to {MOST_COUNTED} as {where}.")


def _several(value: object, kind: type[T], where: str) -> Sequence[T]:
    if not isinstance(value, tuple | list):
        raise AgentBrokeProtocol(f"The agent gave {type(value).__name__} as {where}, not tuple.")
    for one in value:
        _kind(one, kind, f"one of {where}")
    return value


def _parameters(value: object, where: str) -> None:
    _kind(value, dict, where)
    _json(value, where, levels=SHOWN_DEPTH)


def _json(value: object, where: str, *, levels: int) -> None:
    """Checks so many levels: what lies deeper is not shown to clients, so it may be anything."""
    if levels == 0 or value is None or isinstance(value, str | bool | int | float):
        return
    if isinstance(value, list):
        for inner in value:
            _json(inner, where, levels=levels - 1)
        return
    if not isinstance(value, dict):
        raise AgentBrokeProtocol(f"The agent gave {type(value).__name__} in {where}, which JSON can not hold.")
    for name, inner in value.items():
        _text(name, f"a name in {where}")
        _json(inner, where, levels=levels - 1)


def _files(value: object) -> None:
    files = _several(value, ToolFile, "ToolAnswered.files")
    if len(files) > MOST_FILES:
        raise AgentBrokeProtocol(f"The agent gave {len(files)} files with a result, and {MOST_FILES} are the most.")
    for file in files:
        try:
            file.check()
        except TypeError as error:
            raise AgentBrokeProtocol(f"The agent gave a file that is none: {error}.") from error


def _output(value: object) -> None:
    if value is None:
        return
    _kind(value, dict, "Answered.output")
    _json(value, "Answered.output", levels=SHOWN_DEPTH)
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:  # NaN, or what lies deeper than it is shown
        raise AgentBrokeProtocol("The agent gave an Answered.output that JSON can not hold.") from error
    if _levels(value) > SHOWN_DEPTH:
        raise AgentBrokeProtocol(f"The agent gave an Answered.output that nests deeper than {SHOWN_DEPTH} levels.")


def _levels(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_levels(one) for one in inner), default=0)
