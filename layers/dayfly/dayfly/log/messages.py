"""The neutral form of a conversation: what any model library can be given and any reader shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from pydantic import TypeAdapter


class ToolOutcome(StrEnum):
    """How a tool call ended. `UNANSWERED`: the run ended before it did, so the next model request is told so."""

    OK = "ok"
    ERROR = "error"
    DENIED = "denied"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class UserSaid:
    """The user's text."""

    text: str
    kind: Literal["user"] = "user"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model asked for. `arguments` is the JSON text of an object."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class AssistantSaid:
    """One whole model response: its text and the tools it asked for."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    kind: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """A tool's whole result, as the model is given it."""

    call_id: str
    name: str
    content: str
    outcome: ToolOutcome = ToolOutcome.OK
    kind: Literal["tool"] = "tool"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user decided on a tool call that needs approval; no answer in time counts as a denial. Not a message:
    the tool's result tells the model of it."""

    call_id: str
    approved: bool
    reason: str = ""
    kind: Literal["decision"] = "decision"


Message = UserSaid | AssistantSaid | ToolAnswered

_DECISION: Final[TypeAdapter[Decision]] = TypeAdapter(Decision)


def decision_to_json(decision: Decision) -> str:
    """The decision as JSON."""
    return _DECISION.dump_json(decision).decode()


def decisions_in(answers: tuple[str, ...]) -> tuple[Decision, ...]:
    """Reads `decision_to_json`'s form. Raises `ValueError` on anything else."""
    return tuple(_DECISION.validate_json(answer) for answer in answers)
