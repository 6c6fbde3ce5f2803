"""The one reference of a run, and what has it."""

from dataclasses import dataclass, fields, replace

import pytest

from dayfly.context.run_ref import OfRun, RunRef

REF = RunRef(user_id="u-1", tenant_id="o-1", thread_id="t-1", run_id="r-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(OfRun):
    """Something that belongs to a run."""

    ref: RunRef
    at: int


def test_what_belongs_to_a_run_has_its_ids() -> None:
    """Each id is read from the reference, as if it were a field."""
    mark = Mark(ref=REF, at=5)
    assert (mark.user_id, mark.tenant_id, mark.thread_id, mark.run_id) == ("u-1", "o-1", "t-1", "r-1")


@pytest.mark.parametrize("name", ["user_id", "tenant_id", "thread_id", "run_id"])
def test_references_are_equal_where_all_ids_are(name: str) -> None:
    """They can be keys of a dict; one other id makes another run."""
    assert {REF, replace(REF)} == {REF}
    assert replace(REF, **{name: "x"}) != REF


def test_the_ids_stand_in_the_reference_alone() -> None:
    """What belongs to a run has no copies of them, and the reference does not change."""
    assert [field.name for field in fields(Mark)] == ["ref", "at"]
    with pytest.raises(AttributeError):
        REF.run_id = "r-2"  # type: ignore[misc]
