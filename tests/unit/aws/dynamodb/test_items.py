"""The codec between rows and DynamoDB items. (Every kind's round trip is in the contract suite.)"""

from typing import get_args

import pytest

from dayfly.aws.dynamodb.items import UnreadableItem, to_attribute, to_item, to_row
from dayfly.store.rows import NoteRow, RequestRow, RequestState, Row, ThreadRow, ThreadState
from tests.contract import rows


def test_the_sample_has_every_kind_of_row() -> None:
    """A kind of row added to the union must be added to the contract's sample, and so to the codec."""
    assert {type(row) for row in rows.one_of_every_kind()} == set(get_args(Row))


@pytest.mark.parametrize("row", rows.one_of_every_kind(), ids=lambda row: type(row).__name__)
def test_an_item_is_read_as_the_row_it_was(row: Row) -> None:
    """Every field of every kind comes back, with its value and not its default."""
    assert to_row(to_item(row)) == row


def test_fields_become_attributes_of_their_type() -> None:
    """Each field has its own name and plain type; the kind is told by the sort key alone; `None` is left out."""
    row = RequestRow(user_id="u", request_id="q", state=RequestState.ADMITTED, run_id="r", expires=7)
    assert to_item(row) == {
        "pk": {"S": "USER#u"},
        "sk": {"S": "REQ#q"},
        "user": {"S": "u"},
        "request": {"S": "q"},
        "state": {"S": "admitted"},
        "content": {"S": ""},
        "run": {"S": "r"},
        "expires": {"N": "7"},
    }


def test_an_enum_is_stored_as_its_value() -> None:
    """A state of an enumeration is a plain string in the table."""
    assert type(to_attribute(ThreadState.LIVE)["S"]) is str


def test_a_repeat_is_the_same_bytes() -> None:
    """An item's attributes come in the order of the class's fields, every time."""
    assert list(to_item(rows.thread())) == list(to_item(rows.thread(version=8)))


@pytest.mark.parametrize("sk", ["", "THREADS#x", "LIVE#t-1#OTHER#x", "LIVE#t-1", "thread#x", "META"])
def test_an_unknown_kind_is_an_error(sk: str) -> None:
    """The registry of kinds is closed."""
    with pytest.raises(UnreadableItem):
        to_row({"pk": {"S": "USER#u"}, "sk": {"S": sk}})


@pytest.mark.parametrize("text", [{}, {"text": {"N": "1"}}, {"text": {"NULL": True}}], ids=repr)
def test_a_missing_or_mistyped_field_is_an_error(text: dict[str, dict[str, object]]) -> None:
    """An item whose field is missing or of another type is not read as a row."""
    item: dict[str, object] = {**to_item(NoteRow(user_id="u", note_id="n", text="x", at=1))}
    del item["text"]
    with pytest.raises(UnreadableItem):
        to_row({**item, **text})


def test_versions_of_the_code_can_share_a_table() -> None:
    """An attribute without a field is passed over, and a missing one with a default takes the default."""
    item = {**to_item(rows.thread()), "added_later": {"S": "x"}}
    del item["queue"]
    row = to_row(item)
    assert isinstance(row, ThreadRow)
    assert row.queue == ()


def test_a_type_that_no_row_has_is_refused() -> None:
    """A float, or anything else without a plain form, is an error at once; what rows have is not."""
    plain: tuple[object, ...] = (7, "x", b"x", ("x", 7))
    assert [to_attribute(value) for value in plain] == [
        {"N": "7"},
        {"S": "x"},
        {"B": b"x"},
        {"L": [{"S": "x"}, {"N": "7"}]},
    ]
    with pytest.raises(TypeError, match="float"):
        to_attribute(1.5)
