"""What was counted at one size of a run or a thread, and the series over several sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.cost import Cost
from bench.growth import Series

Counting = Callable[["Size"], float]


@dataclass(frozen=True, slots=True)
class Size:
    """One run, of `events` events, in a thread that then holds `all_events`; what it cost, and what it then cost to
    attach and be sent all of it (`missed`), to attach to its thread at rest (`opened`), to read the newest page of the
    thread's history, and to read all of it."""

    events: int
    all_events: int
    run: Cost
    missed: Cost
    opened: Cost
    page: Cost
    history: Cost


_RUN: Final[dict[str, Counting]] = {
    "run: AWS calls": lambda size: size.run.all,
    "run: reads": lambda size: size.run.reads,
    "run: writes": lambda size: size.run.writes,
    "run: posts": lambda size: size.run.posts,
    "run: bytes read": lambda size: size.run.bytes_read,
    "run: bytes written": lambda size: size.run.bytes_written,
    "run: read units": lambda size: size.run.units.read,
    "run: write units": lambda size: size.run.units.write,
    "run: log bytes": lambda size: size.run.log_bytes,
}
_MISSED: Final[dict[str, Counting]] = {
    "attach, all missed: calls": lambda size: size.missed.all,
    "attach, all missed: bytes read": lambda size: size.missed.bytes_read,
}
_OPENED: Final[dict[str, Counting]] = {
    "attach, no cursor: calls": lambda size: size.opened.all,
    "attach, no cursor: bytes read": lambda size: size.opened.bytes_read,
    "history, newest page: calls": lambda size: size.page.all,
    "history, newest page: bytes read": lambda size: size.page.bytes_read,
}
_HISTORY: Final[dict[str, Counting]] = {
    "history, all pages: calls": lambda size: size.history.all,
    "history, all pages: bytes read": lambda size: size.history.bytes_read,
}


def by_events(sizes: Sequence[Size]) -> list[Series]:
    """Runs of growing length, held against their events."""
    return _run_alone(sizes, against=[_events(size) for size in sizes])


def by_length(sizes: Sequence[Size], lengths: Sequence[int]) -> list[Series]:
    """Runs whose events grow longer, and not so much more: held against the length of what they say."""
    said = Series("characters", tuple(lengths), tuple(lengths))
    return [said, *_run_alone(sizes, against=lengths)]


def by_thread(sizes: Sequence[Size], *, still: int) -> list[Series]:
    """Equal runs in a growing thread. What one run costs is held against its own events, which do not grow; reading the
    whole history against the thread's events; both from index `still` on."""
    whole = {"thread's events": _all_events, **_HISTORY}
    one = {"run's events": _events, **_RUN, **_MISSED, **_OPENED}
    return [
        *_series(whole, sizes, against=[_all_events(size) for size in sizes], judged_from=still),
        *_series(one, sizes, against=[_events(size) for size in sizes], judged_from=still),
    ]


def _run_alone(sizes: Sequence[Size], *, against: Sequence[float]) -> list[Series]:
    """Reading a history back is judged from the first size on that takes more than one page: a page shows no more than
    a frame holds, and each of several reads a little of what the next one shows."""
    paged = next((index for index, size in enumerate(sizes) if size.history.posts > 1), 0)
    return [
        *_series({"events": _events, **_RUN, **_MISSED}, sizes, against=against),
        *_series(_HISTORY, sizes, against=against, judged_from=min(paged, len(sizes) - 2)),
    ]


def _series(
    counted: dict[str, Counting], sizes: Sequence[Size], *, against: Sequence[float], judged_from: int = 0
) -> list[Series]:
    return [
        Series(what, tuple(count(size) for size in sizes), tuple(against), judged_from)
        for what, count in counted.items()
    ]


def _events(size: Size) -> float:
    return size.events


def _all_events(size: Size) -> float:
    return size.all_events
