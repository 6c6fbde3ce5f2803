"""The log's writer keeps its word also when it goes on after an append that it gave up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from dayfly.log import writer
from dayfly.store.rows import LogRow
from dayfly.store.table import Action, ConditionsFailed, Put, Table
from tests.simulation.dice import replaced
from tests.simulation.writers import play_writer

SEEDS: Final = range(400)


@contextmanager
def nonce_without_ordinal() -> Iterator[None]:
    """Whatever record carries the own nonce counts as the one that is being appended."""
    patient = writer.__dict__["retry_write"]

    async def credulous(table: Table, *actions: Action, token: str | None = None) -> None:
        try:
            await patient(table, *actions, token=token)
        except ConditionsFailed as failed:
            found, put = failed.found.get(0), actions[0]
            if isinstance(found, LogRow) and isinstance(put, Put) and isinstance(put.row, LogRow):
                raise ConditionsFailed({**failed.found, 0: replace(found, ordinal=put.row.ordinal)}) from failed
            raise

    with replaced(writer, "retry_write", credulous):
        yield


def test_a_writer_that_goes_on_keeps_its_word() -> None:
    """What it said is done stands in the log where it said, without a gap, whatever landed late and whoever took over;
    and the schedules come to both."""
    played = [play_writer(seed) for seed in SEEDS]
    assert not [one.violations for one in played if one.violations]
    assert sum(one.adopted for one in played) > len(SEEDS) / 4
    assert sum(one.superseded for one in played) > len(SEEDS) / 8


def test_an_own_nonce_alone_proves_nothing() -> None:
    """Without the ordinal, an append that landed late is taken for the next one, which is lost."""
    assert any(play_writer(seed, variant=nonce_without_ordinal).violations for seed in SEEDS)
