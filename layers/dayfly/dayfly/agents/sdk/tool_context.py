"""What a tool is given besides its arguments, and how it refuses a call."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field

from dayfly.agents.notes import Notes
from dayfly.agents.sdk.protocol import Turn
from dayfly.agents.secrets import ReadsSecrets, RunSecrets
from dayfly.clock import Clock
from dayfly.context.claims import Claims
from dayfly.context.execution import UserExecutionContext
from dayfly.errors import DayflyError
from dayfly.history.search import ThreadSearch

ToolFunction = Callable[..., object]
"""A plain or async function with type hints and a docstring. Its first parameter may be a `ToolContext`; the others are
what the model fills in. It returns text, anything that can be written as JSON, or a `ToolFile`, alone or in a list
with other values. A generator, plain or async, may
stand for it: each text that it yields is told as progress, and the last that it yields, of whatever type, is the
result."""


class ToolError(DayflyError):
    """A tool raises it where it cannot do what was asked. The model and the client are shown the message. The call
    counts as failed: after several responses in a row in which a tool failed, the run ends."""


class ToolRetry(DayflyError):
    """A tool raises it where the model could correct its call: the message says what is wrong with it. The model is
    asked to call the tool again, and the call does not count as failed, for as many responses in a row as
    `Tool.retries` says; after these it is as if the tool had raised `ToolError`."""


class ToolCallOver(DayflyError):
    """A tool told of its progress, but its call has ended: its time was up, or it had returned. In an abandoned thread
    this is the place to stop."""


class _Told:
    """Lets a plain function go on at once, and an async one be awaited, so that its events can be sent meanwhile."""

    def __await__(self) -> Generator[None, None, None]:
        return asyncio.sleep(0).__await__()


def _nobody(message: str) -> None:
    del message


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
        report: Where `progress` leads to; without an engine, nowhere.
    """

    context: UserExecutionContext
    clock: Clock
    notes: Notes
    threads: ThreadSearch
    idempotency_key: str
    secrets: RunSecrets = field(default_factory=RunSecrets)
    report: Callable[[str], None] = field(default=_nobody, repr=False)

    def progress(self, message: str) -> Awaitable[None]:
        """Tells people how far the call is: `await context.progress("3 of 10")`, in a plain function without `await`.

        The newest message replaces the one before. It may be told as often as one likes: clients get a few a second.

        Raises:
            TypeError: The message is no text.
            ToolCallOver: The call has ended.
        """
        self.report(message)
        return _Told()

    @property
    def claims(self) -> Claims:
        """The claims of the user's token that the deployment lets agents know, read-only: lists are tuples. The token
        is the one with which the message was sent."""
        return self.context.claims

    @classmethod
    def of(cls, turn: Turn, tool_call_id: str, *, report: Callable[[str], None] = _nobody) -> "ToolContext":
        """The context of one call in this turn."""
        user = turn.context.user_id
        return cls(
            context=turn.context,
            clock=turn.clock,
            notes=Notes(turn.table, user),
            threads=ThreadSearch(turn.table, user),
            idempotency_key=f"{turn.context.run_id}:{tool_call_id}",
            secrets=turn.secrets,
            report=report,
        )
