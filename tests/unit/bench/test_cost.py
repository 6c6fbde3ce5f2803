"""What calls came to."""

from dataclasses import replace

import pytest

from bench.capacity import Units
from bench.cost import Cost
from bench.proxy import Call
from bench.recorder import Phase
from bench.usage import Usage

GET = Call(
    function="router", api="GetItem", sent=500, received=700, status=200, at=0.0, request=b"key", response=b"12345"
)
PUT = replace(GET, function="engine", api="PutItem", request=b"1234567", response=b"{}")
POST = replace(GET, function="engine", api="PostToConnection", request=b"frame", response=b"")
KEYS = replace(GET, function="authorizer", api="(not AWS) GET /jwks.json")
PHASE = Phase(
    name="one",
    calls=(GET, PUT, POST, POST, KEYS),
    units={("router", "GetItem"): Units(read=1), ("engine", "PutItem"): Units(write=2)},
    usage=Usage(),
    log_bytes=300,
    log_items=1,
)


def test_calls_are_told_by_kind() -> None:
    """Reads, writes and posts of AWS alone, in the columns' order; bytes are those of bodies."""
    cost = Cost.of(PHASE)
    assert cost.by_kind == (1, 0, 0, 1, 0, 0, 2, 0)
    assert (cost.all, cost.reads, cost.writes, cost.posts) == (4, 1, 1, 2)
    assert (cost.bytes_read, cost.bytes_written, cost.bytes_posted) == (5, 7, 10)
    assert (cost.units, cost.log_bytes, cost.log_items) == (Units(read=1, write=2), 300, 1)


def test_one_functions_part_is_told_alone() -> None:
    """What an engine does meanwhile is not the router's."""
    cost = Cost.of(PHASE, function="router")
    assert (cost.all, cost.units, cost.bytes_posted) == (1, Units(read=1), 0)


def test_a_call_of_no_known_kind_is_not_left_out_in_silence() -> None:
    """A new kind of call needs a column."""
    strange = replace(PHASE, calls=(replace(GET, api="UpdateItem"),))
    with pytest.raises(ValueError, match="UpdateItem"):
        assert Cost.of(strange).by_kind
