"""Reading a run's log: its tail, its pages, and the steps that history is folded from."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from dayfly.log.batch import Batch, step_of
from dayfly.log.fold import LogStep
from dayfly.log.journal import journal_of, unpack_journal
from dayfly.log.writer import Committed
from dayfly.protocol.events import decode_event
from dayfly.store import keys
from dayfly.store.rows import LogRow
from dayfly.store.table import Span, Table

PAGE: Final = 100
LAST_SEQ: Final = 10**keys.SEQ_DIGITS - 1


async def tail_of(table: Table, *, user_id: str, run_id: str) -> LogRow | None:
    """The last batch of a run's log; `None` if it has no log. Raises `Unsettled`."""
    rows = await table.query(_span(user_id, run_id, first=1, last=LAST_SEQ), LogRow, limit=1, descending=True)
    return rows[0] if rows else None


async def pages_after(table: Table, *, user_id: str, run_id: str, seq: int) -> AsyncIterator[tuple[LogRow, ...]]:
    """The batches of a run, page by page, from the one that holds `seq` or `seq + 1` to the tail.

    A cursor may lie inside a batch, so the first batch may hold what comes before it, or nothing else; it starts at the
    greatest key that is not beyond `seq + 1`. The last row of the last page is the tail as it was then.
    """
    start = 1
    if seq > 0:
        at = await table.query(_span(user_id, run_id, first=1, last=seq + 1), LogRow, limit=1, descending=True)
        start = at[0].first if at else 1
    while True:
        rows = await table.query(_span(user_id, run_id, first=start, last=LAST_SEQ), LogRow, limit=PAGE)
        if rows:
            yield rows
            start = rows[-1].last + 1
        if len(rows) < PAGE:
            return


def committed_of(row: LogRow) -> Committed[None]:
    """A batch that was read, in the form in which it was committed, without its journal and steps: for publishing."""
    events = tuple(decode_event(text) for text in row.events)
    return Committed(row, Batch(row.first, row.last, events, (), (), row.outcome), None)


@dataclass(frozen=True, slots=True)
class WholeLog:
    """A run's log read to its end: its steps, and the last batch at that time."""

    steps: tuple[LogStep, ...]
    tail: LogRow | None


async def log_of(table: Table, *, user_id: str, run_id: str) -> WholeLog:
    """Reads the whole of a run's log. Raises `Unsettled`."""
    steps: list[LogStep] = []
    tail: LogRow | None = None
    async for rows in pages_after(table, user_id=user_id, run_id=run_id, seq=0):
        for row in rows:
            steps.extend(await _steps_in(table, row))
            tail = row
    return WholeLog(tuple(steps), tail)


async def steps_of(table: Table, *, user_id: str, run_id: str) -> tuple[LogStep, ...]:
    """Reads all steps of a run. Raises `Unsettled`."""
    return (await log_of(table, user_id=user_id, run_id=run_id)).steps


async def _steps_in(table: Table, row: LogRow) -> list[LogStep]:
    """A batch's steps in the order of their seqs; a journal entry comes after the event that it completes."""
    placed: list[tuple[int, int, LogStep]] = []
    for text in row.events:
        event = decode_event(text)
        placed.extend((event.seq, 0, step) for step in step_of(event))
    for place, entry in enumerate(unpack_journal(await journal_of(table, row)), start=1):
        placed.append((entry.completes, place, entry))
    return [step for _, _, step in sorted(placed, key=lambda p: p[:2])]


def _span(user_id: str, run_id: str, *, first: int, last: int) -> Span:
    return Span(
        keys.user_partition(user_id), keys.log_key(user_id, run_id, first).sk, keys.log_key(user_id, run_id, last).sk
    )
