"""Attach and detach: who watches a thread, and what they missed."""

from dataclasses import dataclass, field
from typing import Final

from dayfly.delivery.sockets import attachment
from dayfly.errors import RunNotFound, ThreadNotFound
from dayfly.log.reader import committed_of, pages_after, tail_of
from dayfly.protocol.frames import Attach, Detach
from dayfly.protocol.replies import Attached, AttachedRun, Detached
from dayfly.router.request import Request
from dayfly.runs.lookup import live_thread
from dayfly.runs.queue import position_of
from dayfly.runs.state import RunStatus, status_of
from dayfly.store import keys
from dayfly.store.retry import retry_write
from dayfly.store.rows import RunRow, ThreadRow, ThreadState
from dayfly.store.table import Check, ConditionsFailed, Delete, Matches, Put, Span

REPLAY_BYTES: Final = 256 * 1024
"""Bytes of events that one `attach` replays; then it answers with `more`."""
REPLAY_EVENTS: Final = 300
"""Events likewise: each is a post, and an integration ends after 29 seconds."""
REPLAY_RUNS: Final = 20
"""Ended runs of which one `attach` sends something. One that the client holds whole takes no place, so that a client
gets on however many it names."""


@dataclass(slots=True)
class _Replay:
    """What was replayed so far. `ended` counts ended runs among it; `full`: a bound is reached, nothing more is
    sent."""

    size: int = 0
    events: int = 0
    ended: int = 0
    full: bool = False
    runs: list[AttachedRun] = field(default_factory=list)

    def count(self, encoded: bytes) -> None:
        """Counts an event that was sent."""
        self.size += len(encoded)
        self.events += 1
        self.full = self.size >= REPLAY_BYTES or self.events >= REPLAY_EVENTS


async def attach(request: Request, frame: Attach) -> Attached:
    """Attaches the caller's connection, replays what it missed, and returns the status of each run.

    The row is written before the logs are read, and an engine reads the audience after it appends. So an event is
    either in what is read here, or its engine finds this connection.

    Raises:
        ThreadNotFound: There is no such thread, or it was forgotten; nothing is attached.
        RunNotFound: `after` names a run of another thread; nothing is attached.
        Unsettled: The table did not answer.
    """
    await _check_cursors(request, frame)
    row = attachment(request.caller, frame.thread_id, now=request.ports.clock.now_ms())
    there = Check(keys.thread_key(request.caller.user_id, frame.thread_id), Matches(state=ThreadState.LIVE))
    try:
        await retry_write(request.ports.table, Put(row), there)
    except ConditionsFailed as failed:
        raise ThreadNotFound("There is no such thread.") from failed
    thread = await live_thread(request.ports.table, user_id=request.caller.user_id, thread_id=frame.thread_id)
    replay, more = _Replay(), False
    open_run_ids = [*([thread.active_run] if thread.active_run else []), *thread.queue]
    for run_id in await _run_ids(request, frame, open_run_ids):
        # What is not reached is not named.
        if replay.full:
            break
        if run_id not in open_run_ids and replay.ended == REPLAY_RUNS:
            more = True
            continue
        before, position = replay.events, position_of(thread, run_id)
        await _replay_run(request, run_id, after=frame.after.get(run_id, 0), replay=replay, position=position)
        if run_id not in open_run_ids and replay.events > before:
            replay.ended += 1
    return Attached(id=frame.id, thread_id=frame.thread_id, runs=tuple(replay.runs), more=more or replay.full)


async def detach(request: Request, frame: Detach) -> Detached:
    """Detaches the caller's connection. Detaching what is not attached is no error. Raises `Unsettled`."""
    await retry_write(
        request.ports.table,
        Delete(keys.socket_of_thread_key(request.caller.user_id, frame.thread_id, request.caller.connection_id)),
    )
    return Detached(id=frame.id, thread_id=frame.thread_id)


async def _check_cursors(request: Request, frame: Attach) -> None:
    """Raises `ThreadNotFound`, and `RunNotFound` if a cursor is of a run that is not in the thread.

    It comes before the row is written. To take the row back afterwards would leave it there where the router dies in
    between, and would take it from another `attach` of the same connection. Nothing is missed by looking this early: a
    client learns of a run after it was admitted, and from then on it is in its thread for as long as that is live.
    """
    if not frame.after:
        return
    thread_key = keys.thread_key(request.caller.user_id, frame.thread_id)
    run_keys = [keys.run_key(request.caller.user_id, frame.thread_id, run_id) for run_id in frame.after]
    found = await request.ports.table.get_many((thread_key, *run_keys))
    row = found.get(thread_key)
    if not isinstance(row, ThreadRow) or row.state != ThreadState.LIVE:
        raise ThreadNotFound("There is no such thread.")
    if not found.keys() >= set(run_keys):
        raise RunNotFound("`after` names a run that is not in the thread.")


async def _run_ids(request: Request, frame: Attach, open_run_ids: list[str]) -> list[str]:
    """The id of every run from the oldest that the client names on (ids sort by turn within a thread), as far as one
    replay may come and one more, and those of the active and queued ones in any case. Without a cursor, of the active
    and queued ones alone: the rest is history."""
    if not frame.after:
        return open_run_ids
    prefix = keys.run_prefix(frame.thread_id)
    span = Span(keys.user_partition(request.caller.user_id), f"{prefix}{min(frame.after)}", f"{prefix}~")
    # Those that are named may all be held whole; of each other one, if it has ended, something is sent.
    most = len(frame.after) + REPLAY_RUNS + len(open_run_ids) + 1
    rows = await request.ports.table.query(span, RunRow, limit=most)
    return sorted({*(row.run_id for row in rows), *open_run_ids})


async def _replay_run(request: Request, run_id: str, *, after: int, replay: _Replay, position: int | None) -> None:
    """Posts the events after a cursor in order, and notes where the run stood when its log was read to the end. A bound
    cuts between two events; the first one that can't be posted ends the replay before it."""
    seq, tail = 0, None
    async for rows in pages_after(request.ports.table, user_id=request.caller.user_id, run_id=run_id, seq=after):
        for row in rows:
            events = committed_of(row).batch.events
            for event, text in zip(events, row.events, strict=True):
                if event.seq > after:
                    if replay.full:
                        break
                    encoded = text.encode()
                    if not await request.reply(encoded):
                        seq, replay.full = event.seq - 1, True
                        break
                    replay.count(encoded)
                seq, tail = event.seq, row
        if replay.full:
            tail = await tail_of(request.ports.table, user_id=request.caller.user_id, run_id=run_id)
            break
    status = status_of(tail, queued=position is not None)
    place = position if status is RunStatus.QUEUED else None
    replay.runs.append(AttachedRun(run_id=run_id, status=status.value, seq=seq, position=place))
