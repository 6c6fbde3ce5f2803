"""The names under which rows are stored, which every table in use has, and the rows that lead to others."""

from dataclasses import fields, replace
from typing import get_args

import pytest

from dayfly.store.keys import part_key
from dayfly.store.rows import (
    AttachedRow,
    CancelRow,
    ConnectionRow,
    ForgetRow,
    HistoryRow,
    LeaseRow,
    LogRow,
    NoteRow,
    Outcome,
    PartRow,
    QuotaRow,
    RequestRow,
    Row,
    RunRow,
    SocketRow,
    ThreadRow,
    attributes_of,
)
from tests.contract.rows import one_of_every_kind

STORED: dict[type[Row], str] = {
    ThreadRow: "user thread title state version created updated active_run queue interrupts turn ended history_head",
    RunRow: "user tenant thread run request agent text turn admitted attempt first_seq resumes cut_after spent_ms "
    "pending answers answered claims",
    LogRow: "user run first last events nonce ordinal invocation at journal journal_parts outcome",
    LeaseRow: "user tenant thread run lease_shard due state attempt first_seq activated invoked nonce",
    ForgetRow: "user thread lease_shard due at",
    AttachedRow: "user thread connection attached expires",
    CancelRow: "user thread run at expires",
    RequestRow: "user request state content run thread expires",
    QuotaRow: "user version active window_start window_count",
    SocketRow: "user connection connected expires",
    ConnectionRow: "connection user tenant connected expires",
    HistoryRow: "user thread place run nonce previous at shown parts body",
    PartRow: "user owner part data",
    NoteRow: "user note text at",
}


def filled(row: Row) -> Row:
    """The row with no field left out."""
    match row:
        case ThreadRow():
            return replace(row, active_run="r-1", history_head="HIST#t-1#1")
        case RunRow():
            return replace(row, claims='{"email":"a@b.example"}')
        case LogRow():
            return replace(row, outcome=Outcome.COMPLETED)
        case RequestRow():
            return replace(row, run_id="r-1", thread_id="t-1")
        case HistoryRow():
            return replace(row, previous="HIST#t-1#1")
        case _:
            return row


def test_the_names_of_every_kind_are_written_down() -> None:
    """A new kind of row is added here with its names."""
    assert STORED.keys() == set(get_args(Row))


@pytest.mark.parametrize("row", one_of_every_kind(), ids=lambda row: type(row).__name__)
def test_stored_names_do_not_change(row: Row) -> None:
    """A field may be called otherwise in the code; what is stored keeps its name and its place."""
    assert " ".join(attributes_of(filled(row))) == STORED[type(row)]


@pytest.mark.parametrize("row", one_of_every_kind(), ids=lambda row: type(row).__name__)
def test_values_are_stored_under_their_names(row: Row) -> None:
    """Each attribute has the value of the field that it is named for, an id that of the row's own or of its run."""
    stored = attributes_of(row)
    for name, value in stored.items():
        field = "agent_name" if name == "agent" else name if hasattr(row, name) else f"{name}_id"
        assert getattr(row, field) == value


def test_what_is_none_is_not_stored() -> None:
    """A sparse index and `attribute_not_exists` want it so."""
    row = next(row for row in one_of_every_kind() if isinstance(row, ThreadRow))
    assert attributes_of(row).keys() - attributes_of(replace(row, active_run=None)).keys() == {"active_run"}
    assert "active_run" in {field.name for field in fields(row)}


def test_the_parts_of_a_chunk() -> None:
    """The parts of a row's chunks are numbered through: a chunk's come after those of all before it."""
    row = HistoryRow(
        user_id="u",
        thread_id="t",
        place=1,
        run_id="r",
        nonce="n",
        previous=None,
        at=1,
        shown=(1, 1, 1, 1),
        parts=(2, 1, 0, 3),
    )
    chunks = [row.chunk_keys(chunk) for chunk in range(4)]
    owner = "HIST#t#00000001#r#n"
    assert chunks == [tuple(part_key("u", owner, part) for part in parts) for parts in ((0, 1), (2,), (), (3, 4, 5))]
