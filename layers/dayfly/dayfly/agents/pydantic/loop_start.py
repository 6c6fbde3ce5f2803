"""Where the loop between model and tools begins in a run attempt, and whether it may."""

from dataclasses import dataclass

from pydantic_ai import DeferredToolResults, RunUsage, ToolApproved, ToolDenied
from pydantic_ai.messages import ModelMessage

from dayfly.agents.pydantic.requests.conversation import to_model_messages
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import Turn, denial_text
from dayfly.errors import ToolOutcomeUnknown
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, ToolCall, UserSaid


@dataclass(frozen=True, slots=True)
class Start:
    """What the library's loop begins with.

    Attributes:
        history: All messages before.
        used: Counts the model requests of earlier attempts.
        prompt: What the user says, if nothing of this run was done before.
        open_calls: The calls that have no result yet, if there are any. Without these and a prompt, the results that
            `history` ends with are sent.
    """

    history: list[ModelMessage]
    used: RunUsage
    prompt: str | None = None
    open_calls: DeferredToolResults | None = None


def start_of(turn: Turn) -> Start:
    """The start of a fresh run, or of one that an earlier attempt has left unfinished.

    The library wants a decision on each open call and then goes through all of them, so one that the user has not
    denied is approved here; whether it may run is decided where it would begin (`LoopHooks.call_tool`).
    """
    used = RunUsage(requests=sum(isinstance(message, AssistantSaid) for message in turn.resumed))
    if not turn.resumed:
        return Start(to_model_messages(turn.history), used, prompt=turn.text)
    calls = open_calls_of(turn.resumed)
    keep_open = frozenset(call.call_id for call in calls)
    history = to_model_messages((*turn.history, UserSaid(turn.text), *turn.resumed), keep_open=keep_open)
    if not calls:
        return Start(history, used)
    denied = {decision.call_id: decision.reason for decision in turn.decisions if not decision.approved}
    approvals: dict[str, bool | ToolApproved | ToolDenied] = {
        call_id: ToolDenied(denial_text(denied[call_id])) if call_id in denied else ToolApproved()
        for call_id in keep_open
    }
    return Start(history, used, open_calls=DeferredToolResults(approvals=approvals))


def open_calls_of(resumed: tuple[Message, ...]) -> tuple[ToolCall, ...]:
    """The calls of the last response that have no result."""
    places = [place for place, message in enumerate(resumed) if isinstance(message, AssistantSaid)]
    if not places:
        return ()
    last, *rest = resumed[places[-1] :]
    answered = {message.call_id for message in rest if isinstance(message, ToolAnswered)}
    return tuple(call for call in last.calls if call.call_id not in answered) if isinstance(last, AssistantSaid) else ()


def refuse_doubt(turn: Turn, definition: AgentDefinition) -> None:
    """Refuses a turn in which a call is in doubt that may not be carried out twice.

    Raises:
        ToolOutcomeUnknown: An earlier attempt began such a call.
    """
    idempotent = {tool.name for tool in definition.toolkit if tool.idempotent}
    doubtful = [call for call in open_calls_of(turn.resumed) if call.call_id in turn.in_doubt]
    if names := list(dict.fromkeys(call.name for call in doubtful if call.name not in idempotent)):
        raise ToolOutcomeUnknown(
            f"The run was interrupted while {', '.join(names)} was under way: whether that took effect is unknown, "
            "and it may not be done twice."
        )


def already_answered(resumed: tuple[Message, ...]) -> AssistantSaid | None:
    """The answer, if an earlier attempt had it whole and was lost before it could say so."""
    last = resumed[-1] if resumed else None
    return last if isinstance(last, AssistantSaid) and not last.calls and last.text else None
