"""The rows of the comparison: their names, units, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Key = Literal[
    "first",
    "burst_errors",
    "burst_p50",
    "burst_p99",
    "burst_worst",
    "alone_p50",
    "alone_p99",
    "crowd_rate",
    "crowd_p99",
    "crowd_errors",
    "connect_rate",
    "connect_p99",
    "idle_open",
    "idle_memory",
    "crowd_memory",
    "crowd_processes",
]


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `better` is None where the figure only explains another one."""

    key: Key
    title: str
    better: Literal["less", "more"] | None
    digits: int = 0


ROWS: tuple[Row, ...] = (
    Row("first", "start to first round trip, s", "less", 2),
    Row("burst_errors", "cold, 50 clients at once: errors", "less"),
    Row("burst_p50", "cold, 50 clients at once: p50, ms", "less"),
    Row("burst_p99", "cold, 50 clients at once: p99, ms", "less"),
    Row("burst_worst", "cold, 50 clients at once: worst, ms", "less"),
    Row("alone_p50", "warm, one client: round trip p50, ms", "less", 2),
    Row("alone_p99", "warm, one client: round trip p99, ms", "less", 2),
    Row("crowd_rate", "warm, 50 clients: messages/s", "more"),
    Row("crowd_p99", "warm, 50 clients: round trip p99, ms", "less"),
    Row("crowd_errors", "warm, 50 clients: errors", "less"),
    Row("connect_rate", "connects/s, 20 at a time", "more"),
    Row("connect_p99", "connect p99, 20 at a time, ms", "less"),
    Row("idle_open", "connections open of 1,000", "more"),
    Row("idle_memory", "memory with 1,000 idle, MB", "less"),
    Row("crowd_memory", "memory with 50 busy, MB", "less"),
    Row("crowd_processes", "processes with 50 busy", None),
)
assert {row.key for row in ROWS} == set(get_args(Key))

# What the front page shows.
FRONT: frozenset[Key] = frozenset(
    {
        "first",
        "burst_errors",
        "burst_worst",
        "alone_p50",
        "alone_p99",
        "crowd_rate",
        "connect_rate",
        "idle_memory",
        "crowd_memory",
    }
)
