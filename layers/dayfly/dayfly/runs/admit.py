"""Admission: the transaction that creates a run."""

from dataclasses import dataclass, replace
from typing import Final

from dayfly.context.caller import Caller
from dayfly.delivery.sockets import attachment
from dayfly.errors import Busy, DayflyError, QueueFull, ThreadNotFound
from dayfly.log.batch import Batch
from dayfly.log.writer import Lost, Plan
from dayfly.protocol.frames import IfBusy, Run
from dayfly.runs import quotas
from dayfly.runs.cancel import cancel_mark
from dayfly.runs.lease import first_lease
from dayfly.runs.queue import enqueued, interrupting
from dayfly.store import keys
from dayfly.store.rows import (
    QUEUE_LENGTH,
    LogRow,
    QuotaRow,
    RequestRow,
    RequestState,
    RunRow,
    ThreadRow,
    ThreadState,
)
from dayfly.store.table import Absent, Action, Matches, Put, Table

FIRST_ENGINE_SEQ: Final = 2
"""Seq 1 is the user's message."""
REQUEST_KEPT_S: Final = 24 * 3600
"""How long a client's request id is remembered."""
TITLE_CHARS: Final = 60
"""Characters of a thread's first message that become its title."""


class RequestKnown(DayflyError):
    """The request id was used before; `request` is its row."""

    def __init__(self, request: RequestRow) -> None:
        super().__init__("the request id is known")
        self.request = request


class ThreadMoved(DayflyError):
    """Another run was admitted to the thread meanwhile, so this run's id would sort before that one's."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that admission decides by; `None` where there is none."""

    request: RequestRow | None
    thread: ThreadRow | None
    quota: QuotaRow | None


async def look(table: Table, caller: Caller, frame: Run) -> Found:
    """Reads the request id's row, the named thread and the user's quota. Raises `Unsettled`."""
    request_key, quota_key = keys.request_key(caller.user_id, frame.id), keys.quota_key(caller.user_id)
    thread_key = keys.thread_key(caller.user_id, frame.thread_id) if frame.thread_id is not None else None
    found = await table.get_many((request_key, quota_key, *([thread_key] if thread_key else [])))
    request, quota = found.get(request_key), found.get(quota_key)
    thread = found.get(thread_key) if thread_key else None
    return Found(
        request if isinstance(request, RequestRow) else None,
        thread if isinstance(thread, ThreadRow) else None,
        quota if isinstance(quota, QuotaRow) else None,
    )


@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted run, its thread after the admission, and the id of the run that it interrupts, if there is one."""

    run: RunRow
    thread: ThreadRow
    interrupted: str | None


class Admit:
    """The transition with a run's first record, the user's message. It decides by thread and quota whether the run is
    admitted, and reads both again if they have changed before the commit.

    Args:
        run: The row to write; `turn` and `admitted` are set here.
        content: The request's content hash.
        found: What was read before; used for the first try alone.
    """

    def __init__(self, table: Table, caller: Caller, frame: Run, *, run: RunRow, content: str, found: Found) -> None:
        self.run = run
        self._table = table
        self._caller = caller
        self._frame = frame
        self._content = content
        self._found: Found | None = found

    async def plan(self, row: LogRow, batch: Batch) -> Plan[Admission]:
        """Request, thread, run, quota, attachment; the lease if the run is active at once, a cancel mark if it
        interrupts.

        Raises `RequestKnown`, `ThreadMoved`, `ThreadNotFound`, `Busy`, `QueueFull`, `QuotaExceeded`, `Unsettled`.
        """
        found = self._found or await look(self._table, self._caller, self._frame)
        self._found = None
        now = row.at
        if found.request is not None and found.request.expires * 1000 > now:
            # Admitted or cancelled by another since the first look: to write over it would run the message twice.
            raise RequestKnown(found.request)
        if found.thread is not None and found.thread.updated >= self.run.admitted:
            raise ThreadMoved("the thread went on")
        thread = self._thread(found.thread, now=now)
        quota = quotas.taken(found.quota, self.run, now=now)
        request = RequestRow(
            user_id=self.run.user_id,
            request_id=self._frame.id,
            state=RequestState.ADMITTED,
            content=self._content,
            run_id=self.run.run_id,
            thread_id=self.run.thread_id,
            expires=now // 1000 + REQUEST_KEPT_S,
        )
        run = replace(self.run, turn=thread.turn, admitted=now)
        actions: dict[str, Action] = {
            "request": Put(request, Matches(expires=found.request.expires) if found.request else Absent()),
            "thread": Put(thread, Matches(version=found.thread.version) if found.thread else Absent()),
            "run": Put(run, Absent()),
            "quota": Put(quota, Matches(version=found.quota.version) if found.quota else Absent()),
            "attachment": Put(attachment(self._caller, run.thread_id, now=now)),
        }
        if thread.active_run == run.run_id:
            actions["lease"] = Put(first_lease(run, now=now), Absent())
        interrupts = found.thread is not None and thread.interrupts > found.thread.interrupts
        interrupted = thread.active_run if interrupts else None
        if interrupted is not None:
            actions["cancel mark"] = Put(cancel_mark(run, interrupted, now=now))
        return Plan(actions, Admission(run, thread, interrupted))

    def lost(self, found: Lost) -> None:
        """Raises `RequestKnown` if the request id was used meanwhile; anything else is read again."""
        there = found.get("request")
        if isinstance(there, RequestRow):
            raise RequestKnown(there)

    def _thread(self, found: ThreadRow | None, *, now: int) -> ThreadRow:
        if self._frame.thread_id is None:
            title = " ".join(self._frame.text.split())[:TITLE_CHARS]
            return ThreadRow(
                user_id=self.run.user_id,
                thread_id=self.run.thread_id,
                title=title,
                created=now,
                updated=now,
                active_run=self.run.run_id,
                turn=1,
            )
        if found is None or found.state != ThreadState.LIVE:
            raise ThreadNotFound("There is no such thread.")
        placed = self._placed(found)
        return replace(
            placed,
            version=found.version + 1,
            updated=max(now, found.updated + 1),
            turn=found.turn + 1,
        )

    def _placed(self, thread: ThreadRow) -> ThreadRow:
        """The thread with the run in it: active if none is, else in the queue as `if_busy` says."""
        run_id = self.run.run_id
        if thread.active_run is None:
            return replace(thread, active_run=run_id)
        if self._frame.if_busy is IfBusy.REJECT:
            raise Busy("The thread has a run under way.")
        if len(thread.queue) >= QUEUE_LENGTH:
            raise QueueFull(f"{QUEUE_LENGTH} messages wait in this thread already, which is the most.")
        return interrupting(thread, run_id) if self._frame.if_busy is IfBusy.INTERRUPT else enqueued(thread, run_id)
