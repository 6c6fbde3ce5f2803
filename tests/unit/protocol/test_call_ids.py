"""The ids of tool calls: kept where they fit, replaced where they do not."""

import pytest

from dayfly.protocol.call_ids import fitting_call_id
from dayfly.protocol.limits import TOOL_CALL_ID_CHARS


@pytest.mark.parametrize("call_id", ["c", "call_9|fc_1", "ä" * TOOL_CALL_ID_CHARS, "", "\x00"])
def test_what_fits_is_kept(call_id: str) -> None:
    """Up to as many characters as a client's `approve` may name."""
    assert fitting_call_id(call_id) == call_id


@pytest.mark.parametrize("call_id", ["x" * (TOOL_CALL_ID_CHARS + 1), "x" * 200_000, "c\udc80", "\ud800" * 500])
def test_what_does_not_fit_is_replaced(call_id: str) -> None:
    """By one that fits, is the same each time, and stays what it is when it is asked of again."""
    fitting = fitting_call_id(call_id)
    assert 0 < len(fitting) <= TOOL_CALL_ID_CHARS
    assert fitting.encode()
    assert fitting == fitting_call_id(call_id) == fitting_call_id(fitting)


def test_calls_that_differ_are_still_apart() -> None:
    """Wherever they differ: at the very end, or in what can not be written down."""
    long = "x" * 1000
    ids = [long, long + "a", long + "b", "c\udc80", "c\udc81", "c?", *(f"{n}{long}" for n in range(50))]
    assert len({fitting_call_id(one) for one in ids}) == len(ids)
