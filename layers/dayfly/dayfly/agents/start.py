"""Where the loop between model and tools begins in an attempt of a run."""

from dataclasses import dataclass

from pydantic_ai import DeferredToolResults, ToolApproved
from pydantic_ai.messages import ModelMessage

from dayfly.agents.conversation import to_model_messages
from dayfly.agents.protocol import Turn
from dayfly.runlog.messages import AssistantSaid, Message, ToolAnswered, UserSaid


@dataclass(frozen=True, slots=True)
class Start:
    """Where the loop begins: with a prompt, with results to send, or with calls to carry out."""

    history: list[ModelMessage]
    prompt: str | None = None
    open_calls: DeferredToolResults | None = None


def start_of(turn: Turn) -> Start:
    """The beginning of a fresh run, or of one that an earlier attempt left somewhere."""
    if not turn.resumed:
        return Start(to_model_messages(turn.history), prompt=turn.text)
    last = _last_response(turn.resumed)
    answered = {message.call_id for message in turn.resumed if isinstance(message, ToolAnswered)}
    open_calls = [call.call_id for call in last.calls if call.call_id not in answered] if last else []
    history = to_model_messages((*turn.history, UserSaid(turn.text), *turn.resumed), keep_open=frozenset(open_calls))
    if not open_calls:
        return Start(history)
    return Start(history, open_calls=DeferredToolResults(approvals={call: ToolApproved() for call in open_calls}))


def _last_response(messages: tuple[Message, ...]) -> AssistantSaid | None:
    return next((message for message in reversed(messages) if isinstance(message, AssistantSaid)), None)


def already_answered(resumed: tuple[Message, ...]) -> str | None:
    """The answer, where an earlier attempt had it whole and died before it could say so."""
    last = resumed[-1] if resumed else None
    return last.text if isinstance(last, AssistantSaid) and not last.calls and last.text else None
