"""What a client may send: one frozen model an action."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from dayfly.protocol import limits, replies
from dayfly.protocol.replies import EXAMPLE_RUN, EXAMPLE_THREAD

RequestId = Annotated[str, StringConstraints(pattern=limits.REQUEST_ID_PATTERN)]
EntityId = Annotated[str, StringConstraints(pattern=limits.ENTITY_ID_PATTERN)]
Seq = Annotated[int, Field(strict=True, ge=0, le=999_999_999_999)]
Cursors = Annotated[dict[EntityId, Seq], Field(max_length=limits.ATTACH_CURSORS)]

_SURROGATE = re.compile("[\ud800-\udfff]")
_ALLOWED_CONTROLS = frozenset("\t\n\r")


def _plain_text(value: str) -> str:
    """Refuses what no reader can show and no store can hold: control characters and lone surrogates."""
    if _SURROGATE.search(value):
        raise ValueError("has a lone surrogate, which is not a character")
    if any(unicodedata.category(c) == "Cc" and c not in _ALLOWED_CONTROLS for c in value):
        raise ValueError("has a control character other than tab, line feed and carriage return")
    return value


def _not_blank(value: str) -> str:
    if value and not value.strip():
        raise ValueError("has nothing but white space")
    return value


Text = Annotated[str, AfterValidator(_plain_text)]


class IfBusy(StrEnum):
    """What becomes of a message when its thread has a run under way."""

    ENQUEUE = "enqueue"
    REJECT = "reject"
    INTERRUPT = "interrupt"


def _or_enqueue(value: object) -> object:
    return IfBusy.ENQUEUE if value is None else value


def _or_none_named(value: object) -> object:
    return {} if value is None else value


class ClientFrame(BaseModel):
    """Base of all client frames. `id` is the client's own, echoed in the reply; fields not named are refused, and an
    optional one that is null counts as left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reply: ClassVar[type[replies.Reply] | None]
    """What answers it, unless it is refused; `None`: this version refuses it with `not_supported`."""
    example: ClassVar[Mapping[str, JsonValue]]
    """One of these, as a client writes it; the documents and the sample events are made of it."""

    id: RequestId
    """Your own id of this request; the reply carries it back."""


class Run(ClientFrame):
    """Starts a run with the user's text; `id` is the idempotency key, per user, for 24 hours."""

    reply = replies.Accepted
    example = {"action": "run", "id": "m-1", "text": "What is 17 * 23?"}
    action: Literal["run"]
    text: Annotated[Text, Field(min_length=1), AfterValidator(_not_blank)]
    """The user's message, not white space alone. No control characters but tab, line feed, carriage return; no lone
    surrogates."""
    thread_id: EntityId | None = None
    """The thread to go on with; without it the run opens a new one, whose id stands in `accepted`."""
    agent: EntityId | None = None
    """The agent to run; without it the backend's default one."""
    if_busy: Annotated[
        IfBusy, Field(strict=False), BeforeValidator(_or_enqueue, json_schema_input_type=IfBusy | None)
    ] = IfBusy.ENQUEUE
    """What to do if the thread has a run under way: queue behind it, be refused with `busy`, or cut it short."""


class Cancel(ClientFrame):
    """Ends a run early: `run_id`, or the `request_id` of a `run` that was not accepted yet."""

    reply = replies.Cancelling
    example = {"action": "cancel", "id": "c-1", "run_id": EXAMPLE_RUN}
    action: Literal["cancel"]
    run_id: EntityId | None = None
    """The run to end."""
    request_id: RequestId | None = None
    """The `id` of the `run` to end, where its `accepted` has not come yet."""


class Attach(ClientFrame):
    """Watches a thread from here on. `after` names for each run the last seq the client holds without a gap."""

    reply = replies.Attached
    example = {"action": "attach", "id": "a-1", "thread_id": EXAMPLE_THREAD, "after": {EXAMPLE_RUN: 4}}
    action: Literal["attach"]
    thread_id: EntityId
    """The thread to watch."""
    after: Annotated[Cursors, BeforeValidator(_or_none_named, json_schema_input_type=Cursors | None)] = Field(
        default_factory=dict
    )
    """For each run, the last seq that you hold without a gap."""


class Detach(ClientFrame):
    """Stops watching a thread."""

    reply = replies.Detached
    example = {"action": "detach", "id": "d-1", "thread_id": EXAMPLE_THREAD}
    action: Literal["detach"]
    thread_id: EntityId
    """The thread to watch no more."""


class Approve(ClientFrame):
    """Answers a tool call that waits for approval."""

    reply = replies.Approved
    example = {
        "action": "approve",
        "id": "p-1",
        "run_id": EXAMPLE_RUN,
        "tool_call_id": "call-1-1",
        "approved": False,
        "reason": "Not now.",
    }
    action: Literal["approve"]
    run_id: EntityId
    """The run whose tool call waits."""
    tool_call_id: Annotated[str, StringConstraints(min_length=1, max_length=limits.TOOL_CALL_ID_CHARS)]
    """From `approval_requested`."""
    approved: bool
    """Whether the tool may run."""
    reason: Annotated[Text, StringConstraints(max_length=1000)] | None = None
    """Told to the model. No control characters besides tab, line feed and carriage return."""


class Threads(ClientFrame):
    """Lists the user's threads, newest first."""

    reply = replies.ThreadList
    example = {"action": "threads", "id": "l-1"}
    action: Literal["threads"]
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=limits.CURSOR_CHARS)] | None = None
    """From the page before; without it the first page."""


class History(ClientFrame):
    """Reads a thread's messages backwards, a page at a time."""

    reply = replies.HistoryPage
    example = {"action": "history", "id": "h-1", "thread_id": EXAMPLE_THREAD}
    action: Literal["history"]
    thread_id: EntityId
    """The thread to read."""
    before: Annotated[str, StringConstraints(min_length=1, max_length=limits.CURSOR_CHARS)] | None = None
    """From the page after; without it the newest page."""


class Rename(ClientFrame):
    """Gives a thread a title."""

    reply = replies.Renamed
    example = {"action": "rename", "id": "n-1", "thread_id": EXAMPLE_THREAD, "title": "Multiplying"}
    action: Literal["rename"]
    thread_id: EntityId
    """The thread to name."""
    title: Annotated[Text, StringConstraints(min_length=1, max_length=limits.TITLE_CHARS), AfterValidator(_not_blank)]
    """Its new title, not white space alone. No control characters besides tab, line feed and carriage return."""


class Forget(ClientFrame):
    """Deletes a thread and all that is in it."""

    reply = replies.Forgotten
    example = {"action": "forget", "id": "f-1", "thread_id": EXAMPLE_THREAD}
    action: Literal["forget"]
    thread_id: EntityId
    """The thread to delete."""


class Refresh(ClientFrame):
    """Replaces the connection's token before it expires."""

    reply = None
    example = {"action": "refresh", "id": "t-1", "token": "header.claims.signature"}
    action: Literal["refresh"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=8192)]
    """A new token of the same user."""


class Ping(ClientFrame):
    """Keeps the socket open (API Gateway closes it after 10 idle minutes) and asks for the server's time."""

    reply = replies.Pong
    example = {"action": "ping", "id": "k-1"}
    action: Literal["ping"]


Frame = Run | Cancel | Attach | Detach | Approve | Threads | History | Rename | Forget | Refresh | Ping
AnyFrame = Annotated[Frame, Field(discriminator="action")]

FRAMES: Final[Mapping[str, type[Frame]]] = {
    get_args(model.model_fields["action"].annotation)[0]: model for model in get_args(Frame)
}
"""The actions of version 1, which are also the routes of the API, each with its frame."""
