"""What the server answers to a request: one frozen model a reply, each with the request's `id`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dayfly.errors import ErrorCode
from dayfly.protocol import limits

ReplyId = Annotated[str, StringConstraints(pattern=limits.REQUEST_ID_PATTERN)]
RunStatusName = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def encode(self) -> bytes:
        """The frame as it goes over the wire: compact JSON, UTF-8, absent optional fields left out."""
        return self.model_dump_json(exclude_none=True).encode()


class Accepted(_Model):
    """The run is durable: it will end with exactly one terminal event. The sender is attached to its thread."""

    type: Literal["accepted"] = "accepted"
    id: ReplyId
    run_id: str
    thread_id: str
    status: RunStatusName
    position: int | None = None
    duplicate: bool = False


class Cancelling(_Model):
    """The run will end with one terminal event, not necessarily `agent_cancelled`."""

    type: Literal["cancelling"] = "cancelling"
    id: ReplyId
    run_id: str | None = None


class AttachedRun(_Model):
    """Where a run stood when the client was attached; `seq` is the last one sent in the replay, or before it."""

    run_id: str
    status: RunStatusName
    seq: int


class Attached(_Model):
    """The replay is over. With `more`, attach again with the cursors now held."""

    type: Literal["attached"] = "attached"
    id: ReplyId
    thread_id: str
    runs: tuple[AttachedRun, ...]
    more: bool = False


class Detached(_Model):
    """The thread's events no longer come to this connection."""

    type: Literal["detached"] = "detached"
    id: ReplyId
    thread_id: str


class ThreadItem(_Model):
    """One thread in a list. `updated_at` is when its latest run was admitted or ended (RFC 3339, UTC)."""

    thread_id: str
    title: str
    updated_at: str
    active_run: str | None = None


class ThreadList(_Model):
    """A page of the user's threads, newest first."""

    type: Literal["threads"] = "threads"
    id: ReplyId
    items: tuple[ThreadItem, ...]
    cursor: str | None = None


class HistoryMessage(_Model):
    """One message, or a piece of a long one: pieces of one message share `run_id` and `role` and stand in order."""

    role: Literal["user", "assistant"]
    text: str
    run_id: str
    at: str
    continued: bool = False


class HistoryPage(_Model):
    """A page of a thread's messages, oldest first; `before` leads to the page before it."""

    type: Literal["history"] = "history"
    id: ReplyId
    thread_id: str
    messages: tuple[HistoryMessage, ...]
    before: str | None = None


class Pong(_Model):
    """The answer to `ping`. `server_time` is RFC 3339, UTC."""

    type: Literal["pong"] = "pong"
    id: ReplyId
    server_time: str


class Error(_Model):
    """A request that failed. Without `id` where the frame's own could not be read."""

    type: Literal["error"] = "error"
    id: ReplyId | None = None
    code: ErrorCode
    message: str
    retryable: bool
    request_id: str | None = None
    """With `internal` only: what to quote to the operator."""


Reply = Accepted | Cancelling | Attached | Detached | ThreadList | HistoryPage | Pong | Error
AnyReply = Annotated[Reply, Field(discriminator="type")]
