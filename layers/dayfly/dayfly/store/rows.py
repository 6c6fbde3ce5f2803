"""The rows of the one table: a closed union of frozen records whose fields are plain (str, int, bytes, tuples
of str or int).

Times are milliseconds since the epoch, except `expires`, which is in seconds, as DynamoDB's TTL wants it.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from dayfly.context.run_ref import OfRun, RunRef
from dayfly.store import keys
from dayfly.store.keys import Key


def attribute_name(field: str) -> str:
    """The name under which a row's field is stored: ids without `_id`."""
    return "agent" if field == "agent_name" else field.removesuffix("_id")


QUEUE_LENGTH: Final = 20
"""Runs that may wait in one thread, after its active one: the most ids in `ThreadRow.queue`. It stands here because
`delivery`, which must not import `runs`, reads as many cancel marks."""


class ThreadState(StrEnum):
    """A forgotten thread refuses everything until it is gone."""

    LIVE = "live"
    FORGOTTEN = "forgotten"


class LeaseState(StrEnum):
    """`WAITING`: no engine has begun this attempt. `HELD`: one has. `APPROVAL`: the run waits for its user, until the
    lease is due. `ENDED`: its last event may still be unposted."""

    WAITING = "waiting"
    HELD = "held"
    APPROVAL = "approval"
    ENDED = "ended"


class RequestState(StrEnum):
    """What became of a client's request id."""

    ADMITTED = "admitted"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a run ended: which of the three terminal events its log closes with."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRow:
    """A thread. `version` moves with every write; `turn` counts admitted runs, `ended` those that ended; `queue` are
    the runs that wait behind the active one, of which the first `interrupts` came to interrupt; `history_head` is the
    sort key of the newest piece of history."""

    user_id: str
    thread_id: str
    title: str
    state: ThreadState = ThreadState.LIVE
    version: int = 1
    created: int
    updated: int
    active_run: str | None = None
    queue: tuple[str, ...] = ()
    interrupts: int = 0
    turn: int = 0
    ended: int = 0
    history_head: str | None = None

    @property
    def key(self) -> Key:
        return keys.thread_key(self.user_id, self.thread_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(OfRun):
    """What was admitted, and which attempt is the present one: its engine writes first at `first_seq`.

    `resumes` counts the times that recovery resumed it; `cut_after` is the last completed seq before a step that was
    cut for lack of time; `spent_ms` is the time of earlier attempts. While it waits for approvals, `pending` are the
    tool calls without an answer, `answers` the decisions (JSON), and `answered` is their number. `claims` are
    those of the token with which the message was sent, where agents may know some (JSON).
    """

    ref: RunRef
    request_id: str
    agent_name: str
    text: str
    turn: int
    admitted: int
    attempt: int = 1
    first_seq: int = 2
    resumes: int = 0
    cut_after: int = 0
    spent_ms: int = 0
    pending: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    answered: int = 0
    claims: str | None = None

    @property
    def key(self) -> Key:
        return keys.run_key(self.user_id, self.thread_id, self.run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One batch of a run's log. `events` are the frames as posted; `journal` is packed, or lies in `journal_parts`
    parts beside. `nonce` and `ordinal` name the writer's handler entry and its place in that writer's batches."""

    user_id: str
    run_id: str
    first: int
    last: int
    events: tuple[str, ...]
    nonce: str
    ordinal: int
    invocation_id: str
    at: int
    journal: bytes = b""
    journal_parts: int = 0
    outcome: Outcome | None = None

    @property
    def key(self) -> Key:
        return keys.log_key(self.user_id, self.run_id, self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow(OfRun):
    """Who works on an active run, and until when (`due`) recovery leaves it alone. Leases and `ForgetRow`s are the only
    rows in the lease index. `activated` is when this attempt could first begin; `invoked` counts the invocations for
    it.
    """

    ref: RunRef
    lease_shard: str
    due: int
    state: LeaseState
    attempt: int
    first_seq: int
    activated: int
    invoked: int = 1
    nonce: str = ""

    @property
    def key(self) -> Key:
        return keys.lease_key(self.user_id, self.run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRow:
    """Drives the deletion of a forgotten thread: looked at when `due`, gone when all is deleted."""

    user_id: str
    thread_id: str
    lease_shard: str
    due: int
    at: int

    @property
    def key(self) -> Key:
        return keys.forget_key(self.user_id, self.thread_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedRow:
    """A socket that watches a thread."""

    user_id: str
    thread_id: str
    connection_id: str
    attached: int
    expires: int

    @property
    def key(self) -> Key:
        return keys.socket_of_thread_key(self.user_id, self.thread_id, self.connection_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRow:
    """Asks a run to end."""

    user_id: str
    thread_id: str
    run_id: str
    at: int
    expires: int

    @property
    def key(self) -> Key:
        return keys.cancel_mark_key(self.user_id, self.thread_id, self.run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A client's request id and what it stood for; `content` is a hash of what was sent. Kept 24 hours."""

    user_id: str
    request_id: str
    state: RequestState
    content: str = ""
    run_id: str | None = None
    thread_id: str | None = None
    expires: int

    @property
    def key(self) -> Key:
        return keys.request_key(self.user_id, self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRow:
    """A user's active and queued runs, and the count of runs in the present window."""

    user_id: str
    version: int = 1
    active: tuple[str, ...] = ()
    window_start: int = 0
    window_count: int = 0

    @property
    def key(self) -> Key:
        return keys.quota_key(self.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRow:
    """One of a user's open sockets."""

    user_id: str
    connection_id: str
    connected: int
    expires: int

    @property
    def key(self) -> Key:
        return keys.socket_key(self.user_id, self.connection_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """Whose socket this is."""

    connection_id: str
    user_id: str
    tenant_id: str
    connected: int
    expires: int

    @property
    def key(self) -> Key:
        return keys.connection_key(self.connection_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One run's messages, immutable. `place` counts the thread's ended runs up to this one; `previous` is the sort key
    of the piece before it.

    The messages lie in chunks: `shown` says how many fragments of each a reader sees, `parts` in how many parts beside
    it lies, one chunk's after the other's; 0 for a single chunk that lies in `body`.
    """

    user_id: str
    thread_id: str
    place: int
    run_id: str
    nonce: str
    previous: str | None
    at: int
    shown: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    body: bytes = b""

    @property
    def key(self) -> Key:
        return keys.history_key(self.user_id, self.thread_id, self.place, self.run_id, self.nonce)

    def chunk_keys(self, chunk: int) -> tuple[Key, ...]:
        """The places of a chunk's parts."""
        first = sum(self.parts[:chunk])
        return tuple(keys.part_key(self.user_id, self.key.sk, part) for part in range(first, first + self.parts[chunk]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part of a value that is too long for one item (400 KB), under an immutable key."""

    user_id: str
    owner: str
    part: int
    data: bytes

    @property
    def key(self) -> Key:
        return keys.part_key(self.user_id, self.owner, self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """One of a user's notes."""

    user_id: str
    note_id: str
    text: str
    at: int

    @property
    def key(self) -> Key:
        return keys.note_key(self.user_id, self.note_id)


Row = (
    ThreadRow
    | RunRow
    | LogRow
    | LeaseRow
    | ForgetRow
    | AttachedRow
    | CancelRow
    | RequestRow
    | QuotaRow
    | SocketRow
    | ConnectionRow
    | HistoryRow
    | PartRow
    | NoteRow
)


def attributes_of(row: Row) -> dict[str, object]:
    """The row's fields by the names under which they are stored, in the order of the class, those of its `ref` in their
    place. A field that is `None` is left out, because a sparse index and `attribute_not_exists` want it so."""
    found: dict[str, object] = {}
    for field in fields(row):
        value: object = getattr(row, field.name)
        if isinstance(value, RunRef):
            found.update((attribute_name(part.name), getattr(value, part.name)) for part in fields(value))
        elif value is not None:
            found[attribute_name(field.name)] = value
    return found
