"""What a tool may be given besides its arguments, and how it says no."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dayfly.agents.notes import Notes
from dayfly.agents.sdk.protocol import Turn
from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.errors import DayflyError
from dayfly.history.search import ThreadSearch

ToolFunction = Callable[..., object]
"""A plain or async function with type hints and a docstring. Its first parameter may be a `ToolContext`; the others are
what the model fills in. It returns text, or anything that can be written as JSON."""

TOOL_NAME_PATTERN: Final = r"[a-zA-Z][a-zA-Z0-9_]{0,63}"
"""What every provider takes as a tool's name.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html"""


class ToolError(DayflyError):
    """A tool's clear answer that it can not do what was asked. The model and the client are shown the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """One tool call's surroundings. Everything here reaches only the data of the run's own user.

    `idempotency_key` is the same when the call is made again by a later attempt of the run: give it to whatever must
    not happen twice.
    """

    context: UserExecutionContext
    clock: Clock
    notes: Notes
    threads: ThreadSearch
    idempotency_key: str

    @classmethod
    def of(cls, turn: Turn, tool_call_id: str) -> "ToolContext":
        """The surroundings of one call in this turn."""
        user = turn.context.user_id
        return cls(
            context=turn.context,
            clock=turn.clock,
            notes=Notes(turn.table, user),
            threads=ThreadSearch(turn.table, user),
            idempotency_key=f"{turn.context.run_id}:{tool_call_id}",
        )
