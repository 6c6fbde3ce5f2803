"""What an agent's instructions may depend on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dayfly.agents.notes import Notes
from dayfly.agents.sdk.protocol import Turn
from dayfly.agents.secrets import ReadsSecrets, RunSecrets
from dayfly.clock import Clock
from dayfly.context.claims import Claims
from dayfly.context.execution import UserExecutionContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentContext(ReadsSecrets):
    """Whose run an attempt is of, for instructions that are a function. It reads secrets and settings of the
    deployment, as a `ToolContext` does.

    Attributes:
        context: The ids of user, thread and run, the agent's name, the number of the attempt.
        clock: The run's.
        notes: The user's notes.
        text: What the user says.
        secrets: What `secret` and `setting` read.
    """

    context: UserExecutionContext
    clock: Clock
    notes: Notes
    text: str
    secrets: RunSecrets = field(default_factory=RunSecrets)

    @property
    def claims(self) -> Claims:
        """The claims of the user's token that the deployment lets agents know, read-only: lists are tuples. The token
        is the one with which the message was sent."""
        return self.context.claims

    @classmethod
    def of(cls, turn: Turn) -> "AgentContext":
        """The context of this turn."""
        return cls(
            context=turn.context,
            clock=turn.clock,
            notes=Notes(turn.table, turn.context.user_id),
            text=turn.text,
            secrets=turn.secrets,
        )


Instructions = Callable[[AgentContext], str | Awaitable[str]]
"""A plain or async function that gives an agent's instructions for one attempt of a run."""
