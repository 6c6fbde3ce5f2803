"""The neutral form of a conversation: what any model library can be given and any reader shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from pydantic import TypeAdapter

from dayfly.protocol.events import Finish


class ToolOutcome(StrEnum):
    """How a tool call ended. `RETRY`: the tool asked the model to correct the call. `UNANSWERED`: the run ended before
    the call did, so the next model request is told so."""

    OK = "ok"
    ERROR = "error"
    RETRY = "retry"
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
class ProviderState:
    """What a provider wants back with a response and nobody else can read: signed or encrypted reasoning, signatures of
    tool calls, its own ids. It is sent to this provider again and to no other, and never to a client.

    Attributes:
        provider: Who gave it: the provider's name, and its address where a name has several.
        data: Opaque text, as the provider's adapter wrote it.
    """

    provider: str
    data: str


@dataclass(frozen=True, slots=True)
class AssistantSaid:
    """One whole model response: its text, the tools it asked for, how it ended, and what its provider wants back."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = Finish.COMPLETE
    state: ProviderState | None = None
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


@dataclass(frozen=True, slots=True)
class Answer:
    """A run's answer, where no response of the agent has just this text. Not a message: history makes one of it."""

    text: str
    finish: Finish = Finish.COMPLETE
    kind: Literal["answer"] = "answer"


Message = UserSaid | AssistantSaid | ToolAnswered


@dataclass(frozen=True, slots=True)
class TokenCount:
    """What a provider counted. The cached ones are part of `input`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: "TokenCount") -> "TokenCount":
        return TokenCount(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


NOTHING_COUNTED: Final = TokenCount()


_DECISION: Final[TypeAdapter[Decision]] = TypeAdapter(Decision)


def decision_to_json(decision: Decision) -> str:
    """The decision as JSON."""
    return _DECISION.dump_json(decision).decode()


def decisions_in(answers: tuple[str, ...]) -> tuple[Decision, ...]:
    """Reads `decision_to_json`'s form. Raises `ValueError` on anything else."""
    return tuple(_DECISION.validate_json(answer) for answer in answers)
