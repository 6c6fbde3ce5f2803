"""The soak, short: `make soak` runs the same for ten minutes over a thousand connections."""

from __future__ import annotations

import pytest

from bench.soak.ledger import Ledger
from bench.soak.memory import Memory, Sample
from bench.soak.plan import Plan
from bench.soak.run import soak


async def test_a_hundred_connections_lose_nothing() -> None:
    """Echoes, posts to others, large and fragmented messages and asynchronous answers each arrive once, while
    connections come and go."""
    # In so short a time an allocator still fetches memory: what is lost is the point here.
    plan = Plan(duration_s=10, connections=100, rate=30, emulator_growth_mb=24, environment_growth_mb=12)
    verdict = await soak(plan)
    assert verdict.violations() == []
    assert verdict.ledger.sent.total() == verdict.ledger.arrived.total() > 100
    assert len(verdict.ledger.sent) == 5


async def test_the_ledger_tells_what_is_lost_and_wrong() -> None:
    """Not arrived, arrived twice, elsewhere, or changed: each is counted."""
    ledger = Ledger()
    tags = [ledger.send("echo", reader=1, digest="d") for _ in range(4)]
    ledger.arrive(tags[0], reader=1, digest="d")
    ledger.arrive(tags[0], reader=1, digest="d")
    ledger.arrive(tags[1], reader=2, digest="d")
    ledger.arrive(tags[2], reader=1, digest="other")
    assert ledger.lost() == {"echo": 1}
    assert ledger.arrived == {"echo": 1}
    assert ledger.wrong == {"arrived twice": 1, "arrived elsewhere": 1, "arrived changed": 1}
    assert not await ledger.settled(0.0, reader=1)
    assert await ledger.settled(0.0, reader=2)


def test_growth_is_seen_after_the_warm_up() -> None:
    """Medians of the first and last third, without what came before."""
    samples = [Sample(float(at), 500.0 if at < 3 else 100.0 + at, {}, None) for at in range(12)]
    growth = Memory(1, samples).of(lambda each: each.emulator_mb, since_s=3)
    assert growth is not None
    assert (growth.first, growth.last) == (104.0, 110.0)
    assert growth.per_hour == pytest.approx(3600.0)
    assert growth.change == 6.0
    assert Memory(1, samples).of_environments(since_s=3) is None


def test_the_growth_of_environments_is_that_of_those_that_stay() -> None:
    """Small ones that end in between do not make the rest look as if it grew."""
    samples = [Sample(float(at), 100.0, {1: 50.0, 2: 52.0} | ({3: 16.0} if at < 8 else {}), None) for at in range(12)]
    growth = Memory(1, samples).of_environments(since_s=3)
    assert growth is not None
    assert (growth.first, growth.change) == (51.0, 0.0)
