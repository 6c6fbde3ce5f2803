"""The narrow protocol between an engine and whatever loops between model and tools."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from pydantic import JsonValue

from dayfly.agents.secrets import ReadsSecrets, RunSecrets
from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered
from dayfly.protocol.events import Finish, RetryReason
from dayfly.store.table import Table
from dayfly.text import sanitize


@dataclass(frozen=True, slots=True)
class Thinking:
    """A request to the model is about to be made; the first is step 1."""

    reasoning: str
    step: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text, as it is produced."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of what the model itself reasons before it answers, as it is produced: no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Responded:
    """A whole model response has come: for the journal, not for the client. The tokens are this response's own; the
    cached ones are part of `input_tokens`."""

    message: AssistantSaid
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Retrying:
    """The request to the model failed, and is about to be made again: the text and the reasoning since the last
    `Responded` are void. With the reason `restated` they alone are: what is right follows, and nothing is asked again.

    Attributes:
        reason: Why it failed.
        retry: Counts the retries of this request, from 1.
        delay_s: Seconds until it is made again. The agent waits, after this event is taken.
    """

    reason: RetryReason
    retry: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is about to run; it may not start before this event is taken (see `Agent.run`)."""

    tool_name: str
    tool_call_id: str
    parameters: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """A running tool tells how far it is, for people."""

    tool_call_id: str
    message: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool has run; or its approval was denied, or the call could not be carried out (there is no such tool, or its
    arguments do not fit), and then no `ToolStarted` came before. The model may not see the result before this event is
    taken. Time in milliseconds."""

    answer: ToolAnswered
    execution_time_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of a run that went well: the whole answer, and how the model ended it. What the model counted stands in
    each `Responded`.

    Attributes:
        text: The answer; of a structured one, its JSON text.
        finish: How it ended.
        output: A structured answer as a JSON object; `None` where there is none.
    """

    text: str
    finish: Finish = Finish.COMPLETE
    output: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A tool call that may run only if the user says so."""

    tool_name: str
    tool_call_id: str
    parameters: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Asked:
    """The end of an attempt that cannot go on without the user: every call of the last response that needs no approval
    has ended, these others wait. A later attempt finds the user's answers in `Turn.decisions`."""

    calls: tuple[OpenCall, ...]


AgentEvent = (
    Thinking | ReasoningDelta | Delta | Responded | Retrying | ToolStarted | ToolProgress | ToolEnded | Answered | Asked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(ReadsSecrets):
    """What an agent is given for one run attempt. It reads secrets and settings: `await turn.secret("NAME")`.

    Attributes:
        context: Whose run this is, and its deadline.
        text: What the user says.
        history: The thread's earlier messages, oldest first.
        resumed: This run's own messages so far, if an earlier attempt left some.
        in_doubt: Calls without a result in `resumed` that an earlier attempt started, and that may have run.
        decisions: The user's decisions on calls without a result in `resumed`.
        table: For tools; a tool reaches only the partition of `context.user_id`.
        clock: For tools.
        secrets: What `secret` and `setting` read.
    """

    context: UserExecutionContext
    text: str
    history: tuple[Message, ...]
    resumed: tuple[Message, ...] = ()
    in_doubt: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    table: Table
    clock: Clock
    secrets: RunSecrets = field(default_factory=RunSecrets)


class Agent(Protocol):
    """Made anew for each run attempt; holds nothing of another."""

    def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """Runs the turn. Ends with exactly one `Answered` or `Asked`, when each tool that was started has ended.

        A tool call's id is its alone within the run, over all attempts: a call is asked for, started and ended once
        (after `ToolStarted` of an earlier attempt alone, it may be started again). Only one that was denied, or that is
        an error, ends without having been started. While a tool runs there is no `Responded`, and nothing is `Asked`
        that is in `turn.decisions`. An agent that yields anything else ends its run with `agent_failed`, and the log
        says what was wrong.

        The least is an `Answered`, behind a `ToolStarted` and a `ToolEnded` for each tool that ran. What is yielded
        besides is watched live (`Delta`, `Thinking`), counted, or gone on from (`Responded`). Where a call, or text
        before it, stands in no `Responded`, the engine keeps a response of its own that asks for the call; history, the
        next turn and `turn.resumed` have it. History has the answer once: `Answered.text` takes the place of what was
        streamed, or last responded, unless that is the same text. A response that is not told yet is not gone on from:
        the next attempt asks the model again.

        The engine asks for the next event only when the one before is taken: committed to the run log for `Responded`,
        `ToolStarted`, `ToolEnded`, `Thinking` and `Retrying`; buffered, with back-pressure, for the others. So what
        stands behind a `yield` happens after the commit. On cancellation or `aclose` the model's stream is closed at
        once. Behind its last event the agent has a few seconds to let go of what it holds; then it is stopped, and the
        run ends with that event all the same. A call in doubt is carried out again if its tool is idempotent; else
        `ToolOutcomeUnknown` is raised before any event. Raises `ModelFailed` where the provider failed; anything else
        it raises counts as the agent's own failure.
        """


class AgentRecipe(Protocol):
    """Builds a new agent for one run. Process-lived; holds no user's data."""

    def __call__(self) -> Agent:
        """A new agent."""


_DENIED: Final = "The user did not approve this tool call."
_REASON: Final = " Reason: "


def denial_text(reason: str) -> str:
    """What the model is told in the place of a result where the user has denied a call, with the reason if any."""
    reason = sanitize(reason).strip()
    return f"{_DENIED}{_REASON}{reason}" if reason else _DENIED


def denial_reason(content: str) -> str:
    """The reason in a `denial_text`; empty where none was given."""
    return content.removeprefix(_DENIED).removeprefix(_REASON)
