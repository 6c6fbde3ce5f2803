"""What a tool is given besides its arguments, and how it refuses a call."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dayfly.agents.notes import Notes
from dayfly.agents.sdk.protocol import Turn
from dayfly.agents.secrets import ReadsSecrets, RunSecrets
from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.errors import DayflyError
from dayfly.history.search import ThreadSearch

ToolFunction = Callable[..., object]
"""A plain or async function with type hints and a docstring. Its first parameter may be a `ToolContext`; the others are
what the model fills in. It returns text, or anything that can be written as JSON."""


class ToolError(DayflyError):
    """A tool raises it where it cannot do what was asked. The model and the client are shown the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext(ReadsSecrets):
    """What one tool call may use. All of it reaches only the data of the run's own user, besides the secrets and
    settings of the deployment: `await context.secret("NAME")`, in a plain function `context.secret_sync("NAME")`.

    Attributes:
        context: Whose run this is, and its deadline.
        clock: The run's.
        notes: The user's notes.
        threads: Searches the user's threads.
        idempotency_key: The same if a later attempt of the run makes the call again. For what must not happen twice.
        secrets: What `secret` and `setting` read.
    """

    context: UserExecutionContext
    clock: Clock
    notes: Notes
    threads: ThreadSearch
    idempotency_key: str
    secrets: RunSecrets = field(default_factory=RunSecrets)

    @classmethod
    def of(cls, turn: Turn, tool_call_id: str) -> "ToolContext":
        """The context of one call in this turn."""
        user = turn.context.user_id
        return cls(
            context=turn.context,
            clock=turn.clock,
            notes=Notes(turn.table, user),
            threads=ThreadSearch(turn.table, user),
            idempotency_key=f"{turn.context.run_id}:{tool_call_id}",
            secrets=turn.secrets,
        )
