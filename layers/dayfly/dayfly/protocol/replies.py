"""What the server answers to a request: one frozen model a reply, each with the request's `id`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from dayfly.errors import Busy, ErrorCode
from dayfly.protocol import limits
from dayfly.protocol.events import Finish

EXAMPLE_THREAD: Final = "t-01kamrjz7gq4v9w2m6c8d3e5fh"
EXAMPLE_RUN: Final = "r-01kamrjz7gx1b7n5t2k4p9s8ra"
_EXAMPLE_END: Final = "2026-11-22T10:00:01.934Z"

ReplyId = Annotated[str, StringConstraints(pattern=limits.REQUEST_ID_PATTERN)]
RunStatusName = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def encode(self) -> bytes:
        """The frame as it goes over the wire: compact JSON, UTF-8, absent optional fields left out."""
        return self.model_dump_json(exclude_none=True).encode()


class _Reply(_Model):
    example: ClassVar[Mapping[str, JsonValue]]
    """One of these, as a client reads it; the documents are made of it."""


class Accepted(_Reply):
    """The run is durable: it will end with exactly one terminal event. The sender is attached to its thread."""

    example = {"id": "m-1", "run_id": EXAMPLE_RUN, "thread_id": EXAMPLE_THREAD, "status": "running"}
    type: Literal["accepted"] = "accepted"
    id: ReplyId
    """The `id` of the request."""
    run_id: str
    """The run; all of its events carry it."""
    thread_id: str
    """The thread; a new one if the request named none."""
    status: RunStatusName
    """Where the run stands now."""
    position: int | None = None
    """Place in the thread's queue, from 1; with `queued` only."""
    duplicate: bool = False
    """The `id` was known: this is the run that it started before, and nothing was started now."""


class Cancelling(_Reply):
    """The run will end with one terminal event, not necessarily `agent_cancelled`."""

    example = {"id": "c-1", "run_id": EXAMPLE_RUN}
    type: Literal["cancelling"] = "cancelling"
    id: ReplyId
    """The `id` of the request."""
    run_id: str | None = None
    """The run that will end. Absent where the `run` was not admitted yet: it will be answered with `cancelled`."""


class AttachedRun(_Model):
    """Where a run stood when the client was attached; `seq` is the last one sent in the replay, or before it."""

    run_id: str
    """The run."""
    status: RunStatusName
    """Where the run stands in the log."""
    seq: int
    """The last seq that you hold after this replay."""
    position: int | None = None
    """Place in the thread's queue, from 1; with `queued` only."""


class Attached(_Reply):
    """The replay is over. With `more` it was cut: attach again, from the same run on, with the cursors held by then."""

    example = {
        "id": "a-1",
        "thread_id": EXAMPLE_THREAD,
        "runs": [{"run_id": EXAMPLE_RUN, "status": "completed", "seq": 8}],
    }
    type: Literal["attached"] = "attached"
    id: ReplyId
    """The `id` of the request."""
    thread_id: str
    """The thread."""
    runs: tuple[AttachedRun, ...]
    """Each run that was replayed, oldest first."""
    more: bool = False
    """The replay was cut: attach again."""


class Detached(_Reply):
    """The thread's events no longer come to this connection."""

    example = {"id": "d-1", "thread_id": EXAMPLE_THREAD}
    type: Literal["detached"] = "detached"
    id: ReplyId
    """The `id` of the request."""
    thread_id: str
    """The thread."""


class ThreadItem(_Model):
    """One thread in a list. `updated_at` is when its latest run was admitted or ended (RFC 3339, UTC)."""

    thread_id: str
    """The thread."""
    title: str
    """The beginning of its first message, until it is renamed."""
    updated_at: str
    """When its latest run was admitted or ended (RFC 3339, UTC)."""
    active_run: str | None = None
    """The run under way, if there is one."""
    queue: tuple[str, ...] = ()
    """Runs that wait behind it, in the order in which they will start."""
    version: int = 0
    """Grows with every change of the thread: of two `thread_changed`, the one with the higher version is the later."""
    state: Literal["live", "forgotten"] = "live"
    """A forgotten thread is being deleted: take it out of the list."""


class ThreadList(_Reply):
    """A page of the user's threads, newest first."""

    example = {
        "id": "l-1",
        "items": [
            {"thread_id": EXAMPLE_THREAD, "title": "What is 17 * 23?", "updated_at": _EXAMPLE_END, "version": 2},
        ],
    }
    type: Literal["threads"] = "threads"
    id: ReplyId
    """The `id` of the request."""
    items: tuple[ThreadItem, ...]
    """Threads, newest first. A page may be short, even empty, while there is a `cursor`."""
    cursor: str | None = None
    """Send it to get the next page; absent on the last."""


class HistoryMessage(_Model):
    """One message, or a piece of a long one: pieces of one message share `run_id` and `role` and stand in order. A
    message that the model cut off or refused before its first word has an empty `text`."""

    role: Literal["user", "assistant"]
    """Who said it."""
    text: str
    """What was said; a piece of it where the message is long."""
    run_id: str
    """The run that it belongs to."""
    at: str
    """When the run ended (RFC 3339, UTC)."""
    continued: bool = False
    """Goes on from the message before it: join the texts with nothing in between."""
    finish: Finish | None = None
    """How the model ended this message, on each of its pieces. Absent where it had said all, and with the user's."""


class HistoryPage(_Reply):
    """A page of a thread's messages, oldest first; `before` leads to the page before it."""

    example = {
        "id": "h-1",
        "thread_id": EXAMPLE_THREAD,
        "messages": [
            {"role": "user", "text": "What is 17 * 23?", "run_id": EXAMPLE_RUN, "at": _EXAMPLE_END},
            {"role": "assistant", "text": "17 * 23 = 391", "run_id": EXAMPLE_RUN, "at": _EXAMPLE_END},
        ],
    }
    type: Literal["history"] = "history"
    id: ReplyId
    """The `id` of the request."""
    thread_id: str
    """The thread."""
    messages: tuple[HistoryMessage, ...]
    """Messages of ended runs, oldest first."""
    before: str | None = None
    """Send it to get the page before this one; absent on the oldest."""


class Approved(_Reply):
    """The answer to a tool call's approval was taken, whether it was yes or no."""

    example = {"id": "p-1", "run_id": EXAMPLE_RUN}
    type: Literal["approved"] = "approved"
    id: ReplyId
    """The `id` of the request."""
    run_id: str
    """The run; it goes on when all of its open calls are answered."""


class Renamed(_Reply):
    """The thread has its new title."""

    example = {"id": "n-1", "thread_id": EXAMPLE_THREAD, "title": "Multiplying"}
    type: Literal["renamed"] = "renamed"
    id: ReplyId
    """The `id` of the request."""
    thread_id: str
    """The thread."""
    title: str
    """Its title."""


class Forgotten(_Reply):
    """Nothing of the thread can be read any more; its runs are ended, and its data is deleted within the hour."""

    example = {"id": "f-1", "thread_id": EXAMPLE_THREAD}
    type: Literal["forgotten"] = "forgotten"
    id: ReplyId
    """The `id` of the request."""
    thread_id: str
    """The thread."""


class Pong(_Reply):
    """The answer to `ping`. `server_time` is RFC 3339, UTC."""

    example = {"id": "k-1", "server_time": "2026-11-22T10:00:00.000Z"}
    type: Literal["pong"] = "pong"
    id: ReplyId
    """The `id` of the request."""
    server_time: str
    """RFC 3339, UTC, with milliseconds."""


class Error(_Reply):
    """A request that failed. Without `id` where the frame's own could not be read."""

    example = {
        "id": "m-2",
        "code": Busy.code,
        "message": "The thread has a run under way.",
        "retryable": Busy.retryable,
    }
    type: Literal["error"] = "error"
    id: ReplyId | None = None
    """The `id` of the request, where it could be read."""
    code: ErrorCode
    """One of the closed list; decide by this."""
    message: str
    """One sentence for people. Its wording may change."""
    retryable: bool
    """Whether the same request, with the same `id`, may succeed later."""
    request_id: str | None = None
    """With `internal` only: what to quote to the operator."""


Reply = (
    Accepted
    | Cancelling
    | Attached
    | Detached
    | Approved
    | ThreadList
    | HistoryPage
    | Renamed
    | Forgotten
    | Pong
    | Error
)
AnyReply = Annotated[Reply, Field(discriminator="type")]
