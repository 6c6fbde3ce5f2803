"""The frozen context of one run attempt."""

from dataclasses import fields
from typing import Any

import pytest

from dayfly.context.execution import MAX_DEPTH, UserExecutionContext
from dayfly.context.run_ref import RunRef
from dayfly.errors import InvalidContext

GOOD: dict[str, Any] = {
    "user_id": "u-alice",
    "tenant_id": "o-acme",
    "thread_id": "t-1",
    "run_id": "r-1",
    "request_id": "test",
    "invocation_id": "5f3c9e2a-7c1b-4a67-9d4e-1f1f6a2b3c4d",
    "agent_name": "default",
    "attempt": 1,
    "first_seq": 2,
    "deadline": 10.0,
}
IDS = ["user_id", "tenant_id", "thread_id", "run_id", "request_id", "invocation_id", "agent_name"]


def context(**changed: Any) -> UserExecutionContext:
    facts = {**GOOD, **changed}
    ref = RunRef(**{field.name: facts.pop(field.name) for field in fields(RunRef)})
    return UserExecutionContext(ref=ref, **facts)


def test_a_context_is_frozen() -> None:
    """No field of a context or of its reference can be set anew."""
    with pytest.raises(AttributeError):
        context().ref = context().ref  # type: ignore[misc]
    with pytest.raises(AttributeError):
        context().ref.user_id = "u-mallory"  # type: ignore[misc]


@pytest.mark.parametrize("field", IDS)
@pytest.mark.parametrize("value", ["", " ", "a" * 65, "a#b", "a b", "ä", "a\n", "\ud800", None, 7])
def test_malformed_ids_are_refused(field: str, value: object) -> None:
    """Empty, over-long and foreign ids are refused, and the field is named."""
    with pytest.raises(InvalidContext, match=field):
        context(**{field: value})


@pytest.mark.parametrize("field", IDS)
def test_the_longest_id_is_taken(field: str) -> None:
    """64 characters of the alphabet are an id."""
    assert getattr(context(**{field: "aZ09_-" + "x" * 58}), field)


@pytest.mark.parametrize("field", ["user_id", "tenant_id", "thread_id", "run_id", "invocation_id"])
@pytest.mark.parametrize("value", ["none", "NULL", "undefined", "Default", "placeholder", "temp", "user_id"])
def test_placeholders_are_refused(field: str, value: str) -> None:
    """A placeholder in place of a user, tenant, thread, run or invocation is a missing value, in any case."""
    with pytest.raises(InvalidContext, match="placeholder"):
        context(**{field: value})


def test_a_client_and_a_developer_may_use_any_name() -> None:
    """A client may call its request `test`, a developer their agent `default`."""
    assert context(request_id="test", agent_name="default").request_id == "test"


@pytest.mark.parametrize("changed", [{"attempt": 0}, {"first_seq": 1}, {"depth": -1}, {"depth": MAX_DEPTH + 1}])
def test_numbers_out_of_range_are_refused(changed: dict[str, int]) -> None:
    """Attempts count from 1, an engine's first seq is at least 2, the depth is 0 to 10."""
    with pytest.raises(InvalidContext):
        context(**changed)


def test_sub_agents_nest_ten_deep() -> None:
    """The tenth child is a context of the same user and run; the eleventh is refused."""
    deepest = context()
    for level in range(MAX_DEPTH):
        deepest = deepest.child(f"agent-{level}")
    assert (deepest.depth, deepest.agent_name) == (10, "agent-9")
    assert (deepest.user_id, deepest.run_id, deepest.deadline) == ("u-alice", "r-1", 10.0)
    with pytest.raises(InvalidContext):
        deepest.child("agent-10")
    with pytest.raises(InvalidContext):
        context().child("")
