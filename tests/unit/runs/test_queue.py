"""The order of a thread's runs: pure."""

import random

import pytest

from dayfly.runs.queue import advanced, enqueued, interrupting, position_of, without
from dayfly.store.rows import ThreadRow


def thread(*queue: str, interrupts: int = 0, active: str | None = "r-0") -> ThreadRow:
    return ThreadRow(
        user_id="u",
        thread_id="t",
        title="",
        created=0,
        updated=0,
        active_run=active,
        queue=queue,
        interrupts=interrupts,
    )


def test_first_in_first_out() -> None:
    """Runs become active in the order in which they came."""
    row = thread()
    for run in ("a", "b", "c"):
        row = enqueued(row, run)
    order = []
    while (row := advanced(row)).active_run is not None:
        order.append(row.active_run)
    assert order == ["a", "b", "c"]


def test_an_interrupt_goes_before_the_rest_but_behind_earlier_interrupts() -> None:
    """Those that came to interrupt keep their own order, ahead of all others."""
    row = enqueued(thread(), "a")
    row = interrupting(interrupting(row, "i"), "j")
    row = interrupting(enqueued(row, "b"), "k")
    assert (row.queue, row.interrupts) == (("i", "j", "k", "a", "b"), 3)


def test_an_interrupt_that_became_active_waits_no_more() -> None:
    """Behind one that has become active, the next interrupt is still before the rest."""
    row = interrupting(enqueued(thread(), "a"), "i")
    row = advanced(row)
    assert (row.active_run, row.queue, row.interrupts) == ("i", ("a",), 0)
    assert interrupting(row, "j").queue == ("j", "a")


def test_an_empty_queue_leaves_the_thread_idle() -> None:
    """Where nothing waits, nothing becomes active."""
    row = advanced(thread())
    assert (row.active_run, row.queue, row.interrupts) == (None, (), 0)


@pytest.mark.parametrize(("gone", "interrupts"), [("i", 1), ("j", 1), ("a", 2), ("b", 2)])
def test_a_run_that_waits_no_more(gone: str, interrupts: int) -> None:
    """It leaves its place, and the bound between interrupts and the rest stays where it belongs."""
    row = without(thread("i", "j", "a", "b", interrupts=2), gone)
    assert row.queue == tuple(run for run in ("i", "j", "a", "b") if run != gone)
    assert row.interrupts == interrupts
    assert row.active_run == "r-0"


def test_a_run_that_does_not_wait_cannot_leave() -> None:
    """To take out what is not there is a bug that shows."""
    with pytest.raises(ValueError, match="not in"):
        without(thread("a"), "b")


def test_positions_count_from_one() -> None:
    """The first that waits has position 1; what does not wait has none."""
    row = thread("a", "b")
    assert [position_of(row, run) for run in ("a", "b", "r-0", "x")] == [1, 2, None, None]


def test_any_story_keeps_the_order() -> None:
    """Whatever comes, goes and ends, the queue is what two plain lists would be: interrupts, then the rest."""
    dice = random.Random(5)
    for _ in range(200):
        row, first, rest = thread(active="x"), list[str](), list[str]()
        for number in range(30):
            run = f"r-{number}"
            match dice.randrange(4):
                case 0:
                    row = enqueued(row, run)
                    rest.append(run)
                case 1:
                    row = interrupting(row, run)
                    first.append(run)
                case 2 if row.queue:
                    gone = dice.choice(row.queue)
                    row = without(row, gone)
                    (first if gone in first else rest).remove(gone)
                case _:
                    row = advanced(row)
                    waiting = first or rest
                    assert row.active_run == (waiting.pop(0) if waiting else None)
            assert (list(row.queue), row.interrupts) == ([*first, *rest], len(first))
