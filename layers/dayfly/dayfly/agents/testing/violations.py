"""What is wrong with an agent, each in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Asked,
    Responded,
    ToolEnded,
    ToolStarted,
)


class Check(StrEnum):
    """What is looked at.

    `ORDER`: the events' types, order and ids. `COMMITS`: nothing is done before the event that announces it is taken.
    `CANCELLATION`: it stops at once and leaves nothing behind. `RESUMPTION`: it goes on wherever an engine is lost.
    `APPROVALS`: it keeps to what the user has decided. `HISTORY`: it goes on in a thread that has one. `BLOCKING`: it
    leaves its event loop free. `ISOLATION`: two runs share nothing.
    """

    ORDER = "order"
    COMMITS = "commits"
    CANCELLATION = "cancellation"
    RESUMPTION = "resumption"
    APPROVALS = "approvals"
    HISTORY = "history"
    BLOCKING = "blocking"
    ISOLATION = "isolation"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong."""

    check: Check
    sentence: str

    def __str__(self) -> str:
        return f"{self.check}: {self.sentence}"


class AgentViolations(AssertionError):
    """The agent does not keep to its protocol. The message has a line for each violation."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("\n".join(str(violation) for violation in violations))
        self.violations = tuple(violations)


def behind(events: Sequence[AgentEvent]) -> str:
    """Where in a run something happened, for a sentence: behind its last event."""
    return f"behind {named(events[-1])}" if events else "at its start"


def named(event: AgentEvent) -> str:
    """An event in a sentence."""
    match event:
        case ToolStarted(name):
            return f"ToolStarted({name!r})"
        case ToolEnded(answer):
            return f"ToolEnded({answer.name!r})"
        case Responded(message) if message.calls:
            return f"Responded that asks for {', '.join(call.name for call in message.calls)}"
        case Asked(calls):
            return f"Asked({', '.join(call.tool_name for call in calls)})"
        case _:
            return type(event).__name__


def told(error: BaseException) -> str:
    """An error in a sentence."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
