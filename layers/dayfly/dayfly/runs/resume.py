"""Opening a run's next attempt: by an engine that hands over, by recovery after a loss, by the router after an answer.

After that no engine of an earlier attempt can append, because the seq of `agent_resumed` is taken: this is the fence.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.log.fold import LogStep, Reasoned, Said, resumption_of
from dayfly.log.messages import Decision
from dayfly.log.reader import log_of
from dayfly.log.writer import Lost, Plan
from dayfly.protocol.events import AgentResumed, ResumeReason
from dayfly.runs.lease import LeaseCondition, as_read, first_lease
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import LeaseRow, LogRow, RunRow
from dayfly.store.table import Matches, Put

SHOWN_WITHIN_S: Final = 2.0
"""How long slow sockets are waited for; the next event shows them the gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """The transition with `agent_resumed`: the run's next attempt, and a lease that waits for its engine. Its result is
    the run's row for that attempt.

    Args:
        run: The row as it was read.
        later: The same row with other fields changed, for example `resumes`.
        lease_is: What the lease must still be.
    """

    run: RunRow
    later: RunRow
    lease_is: LeaseCondition

    async def plan(self, row: LogRow, batch: Batch) -> Plan[RunRow]:
        """The next attempt, which writes first at the seq after this record, and its lease."""
        run = self.run
        opened = replace(
            self.later, attempt=run.attempt + 1, first_seq=batch.last + 1, pending=(), answers=(), answered=0
        )
        as_it_was = Matches(attempt=run.attempt, first_seq=run.first_seq, answered=run.answered)
        lease = Put(first_lease(opened, now=row.at), self.lease_is())
        return Plan({"run": Put(opened, as_it_was), "lease": lease}, opened)

    def lost(self, found: Lost) -> None:
        """Raises `Superseded`: another writer has changed the run or its lease."""
        raise Superseded(f"the run's {', '.join(found)} is not as it was")


async def open_attempt(
    run_writer: RunWriter,
    run: RunRow,
    lease: LeaseRow,
    reason: ResumeReason,
    *,
    decisions: Sequence[Decision] = (),
    later: RunRow | None = None,
) -> RunRow:
    """Opens the next attempt of a run without its engine, if run and lease are still as they were read; posts
    `agent_resumed` and invokes an engine.

    Args:
        decisions: The user's, which go into the journal with the record.
        later: The run with other fields changed, for example `resumes`; `None`: none.

    Returns:
        The run's row for the next attempt.

    Raises:
        Superseded: Another writer has changed run or lease, or the run has ended.
        Unsettled: The table did not answer.
    """
    transition = OpenAttempt(run=run, later=later or run, lease_is=lambda: Matches(**as_read(lease)))
    return await run_writer.retry_at_tail(
        run, lease, lambda: _open_at_tail(run_writer, run, reason, transition, decisions=decisions)
    )


async def _open_at_tail(
    run_writer: RunWriter,
    run: RunRow,
    reason: ResumeReason,
    transition: OpenAttempt,
    *,
    decisions: Sequence[Decision],
) -> RunRow:
    log = await log_of(run_writer.ports.table, user_id=run.user_id, run_id=run.run_id)
    if log.tail is None or log.tail.outcome is not None:
        raise Superseded("the run has ended")
    resumed = AgentResumed(attempt=run.attempt + 1, reason=reason, discard_after=void_after(log.steps))
    committed = await run_writer.append(run, resumed, transition, next_seq=log.tail.last + 1, journal=decisions)

    async def show() -> None:
        await run_writer.show(run, committed, drain_s=SHOWN_WITHIN_S)

    await asyncio.gather(run_writer.start_engine(committed.result), run_writer.in_background(show))
    return committed.result


def void_after(steps: Iterable[LogStep]) -> int | None:
    """The seq after which text is void for a run that continues from these steps; `None` if no text is void."""
    steps = tuple(steps)
    completed_seq = resumption_of(steps).completed_seq
    return (
        completed_seq if any(isinstance(step, Said | Reasoned) and step.seq > completed_seq for step in steps) else None
    )
