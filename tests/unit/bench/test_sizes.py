"""Series over the sizes of runs and threads."""

from collections import Counter

from bench.capacity import Units
from bench.cost import Cost
from bench.sizes import Size, by_events, by_length, by_thread


def cost(factor: int) -> Cost:
    """So many times everything."""
    calls = Counter({"Query": factor, "PutItem": factor, "PostToConnection": factor})
    return Cost(
        calls=calls,
        units=Units(read=factor, write=factor),
        bytes_read=1000 * factor,
        bytes_written=1000 * factor,
        bytes_posted=1000 * factor,
        log_bytes=1000 * factor,
        log_items=factor,
    )


def size(events: int, *, all_events: int, run: int, history: int) -> Size:
    """A run that costs `run` times everything, in a thread whose history costs `history` times everything."""
    return Size(events, all_events, cost(run), missed=cost(run), opened=cost(1), page=cost(1), history=cost(history))


def test_a_run_is_held_against_its_events() -> None:
    """What grows with them holds; what grows with their square is named."""
    even = [size(events, all_events=events, run=events, history=events) for events in (10, 20, 40)]
    assert [one.what for one in by_events(even) if one.faster] == []
    square = [size(events, all_events=events, run=events**2, history=events) for events in (10, 20, 40)]
    faster = [one.what for one in by_events(square) if one.faster]
    assert "run: AWS calls" in faster
    assert "history, all pages: calls" not in faster


def test_long_events_are_held_against_their_length() -> None:
    """Where the events are as many as before, their length is what bytes may grow with."""
    sizes = [size(5, all_events=5, run=length, history=length) for length in (10, 20, 40)]
    assert [one.what for one in by_length(sizes, (10, 20, 40)) if one.faster] == []


def test_a_history_is_judged_from_its_second_page_on() -> None:
    """That two pages cost more than twice as much as one is no growth; that four cost more than twice as much as two
    is."""
    paged = [size(events, all_events=events, run=events, history=cost) for events, cost in ((10, 1), (20, 5), (40, 10))]
    assert [one.what for one in by_events(paged) if one.faster] == []
    square = [
        size(events, all_events=events, run=events, history=cost) for events, cost in ((10, 1), (20, 5), (40, 20))
    ]
    assert "history, all pages: calls" in [one.what for one in by_events(square) if one.faster]


def test_in_a_growing_thread_only_reading_all_of_it_may_cost_more() -> None:
    """A run that costs more the more came before it is named, from the size on from which none may."""
    even = [size(9, all_events=9 * runs, run=3, history=runs) for runs in (1, 10, 40, 160)]
    assert [one.what for one in by_thread(even, still=2) if one.faster] == []
    dearer = [size(9, all_events=9 * runs, run=runs, history=runs) for runs in (1, 10, 40, 160)]
    assert "run: bytes read" in [one.what for one in by_thread(dearer, still=2) if one.faster]
    filling = [size(9, all_events=9 * runs, run=min(runs, 40), history=runs) for runs in (1, 10, 40, 160)]
    assert [one.what for one in by_thread(filling, still=2) if one.faster] == []
