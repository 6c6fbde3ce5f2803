"""Where a run stands, read strongly: what every decision of recovery is made from."""

from dataclasses import dataclass
from typing import Final

from dayfly.log.reader import tail_of
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.rows import LeaseRow, LeaseState, LogRow, RunRow
from dayfly.store.table import Table

READS_S: Final = 5.0
"""How long recovery repeats one read: a notice comes once, a sweep in a minute."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A run with its lease and the last batch of its log."""

    run: RunRow
    lease: LeaseRow
    tail: LogRow

    @property
    def ended(self) -> bool:
        """The log holds the terminal event."""
        return self.tail.outcome is not None

    @property
    def begun(self) -> bool:
        """An engine of the present attempt has written."""
        return self.lease.state != LeaseState.WAITING or self.tail.last >= self.run.first_seq

    @property
    def waits_for_engine(self) -> bool:
        """No engine of the present attempt has written, and the run has not ended."""
        return not self.ended and not self.begun


async def standing_of(table: Table, lease_key: Key) -> Standing | None:
    """Reads the lease, then what it is about. `None` where there is nothing left to look after."""
    lease = await table.get(lease_key, LeaseRow)
    if lease is None:
        return None
    run = await table.get(keys.run_key(lease.user_id, lease.thread_id, lease.run_id), RunRow)
    tail = await tail_of(table, user_id=lease.user_id, run_id=lease.run_id)
    return Standing(run, lease, tail) if run is not None and tail is not None else None
