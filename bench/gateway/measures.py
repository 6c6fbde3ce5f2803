"""What is measured of one program, in which order, and for how long at most."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from bench.gateway import client
from bench.gateway.client import TROUBLE, Outcomes
from bench.gateway.peers import Peer, Running
from bench.gateway.program import DidNotStart
from bench.gateway.rows import Key
from bench.summary import summary

BURST = 50
CROWD = 50
IDLE = 1000
AT_ONCE = 20
WARM_UP, IN_TURN, ALONE_S = 50, 400, 10.0
CROWD_WARM_UP_S, CROWD_S = 5.0, 6.0
# So long no step takes on a machine on which the comparison makes sense; then it is a row that says so.
BOUND_S = 75.0


@dataclass(slots=True)
class Findings:
    """The figures of one program, each once for every round that found one, and what went wrong at them."""

    figures: dict[Key, list[float]] = field(default_factory=dict)
    troubles: dict[Key, list[str]] = field(default_factory=dict)

    def found(self, key: Key, value: float) -> None:
        """Takes a figure."""
        self.figures.setdefault(key, []).append(value)

    def trouble(self, key: Key, text: str) -> None:
        """Takes a sentence about what went wrong."""
        self.troubles.setdefault(key, []).append(text)

    def failed(self, keys: tuple[Key, ...], error: BaseException) -> None:
        """A step gave nothing."""
        for key in keys:
            self.trouble(key, f"{type(error).__name__}: {error}".strip(": "))


_COLD: tuple[Key, ...] = ("burst_errors", "burst_p50", "burst_p99", "burst_worst")
_ALONE: tuple[Key, ...] = ("alone_p50", "alone_p99")
_CROWD: tuple[Key, ...] = ("crowd_rate", "crowd_p99", "crowd_errors", "crowd_memory", "crowd_processes")
_IDLE: tuple[Key, ...] = ("connect_rate", "connect_p99", "idle_open", "idle_memory")


async def cold(peer: Peer, installed: Path, scratch: Path, findings: Findings) -> None:
    """One start for the first round trip, and one for the first burst."""
    began = time.perf_counter()
    with _running(peer, installed, scratch, findings, ("first",)) as running:
        if running is not None:
            await _step(findings, ("first",), lambda: _first(running, began, findings))
    with _running(peer, installed, scratch, findings, _COLD) as running:
        if running is not None:
            await _step(findings, _COLD, lambda: _burst(running, findings))


async def warm(peer: Peer, installed: Path, scratch: Path, findings: Findings) -> None:
    """One start for everything after the warm-up."""
    with _running(peer, installed, scratch, findings, (*_ALONE, *_CROWD, *_IDLE)) as running:
        if running is not None:
            await _step(findings, _ALONE, lambda: _alone(running, findings))
            await _step(findings, _CROWD, lambda: _crowd(running, findings))
            await _step(findings, _IDLE, lambda: _idle(running, findings))


async def _first(running: Running, began: float, findings: Findings) -> None:
    await client.first(running.websocket, within_s=BOUND_S - client.ANSWER_S)
    findings.found("first", time.perf_counter() - began)


async def _burst(running: Running, findings: Findings) -> None:
    outcomes = await client.burst(running.websocket, BURST)
    findings.found("burst_errors", len(outcomes.errors))
    _say_errors(findings, "burst_errors", outcomes)
    if outcomes.seconds:
        figures = summary(outcomes.seconds)
        findings.found("burst_p50", figures.p50 * 1000)
        findings.found("burst_p99", figures.p99 * 1000)
        findings.found("burst_worst", figures.worst * 1000)


async def _alone(running: Running, findings: Findings) -> None:
    await client.first(running.websocket, within_s=BOUND_S / 3)
    await client.in_turn(running.websocket, WARM_UP, within_s=5.0)
    figures = summary((await client.in_turn(running.websocket, IN_TURN, within_s=ALONE_S)).seconds)
    findings.found("alone_p50", figures.p50 * 1000)
    findings.found("alone_p99", figures.p99 * 1000)


async def _crowd(running: Running, findings: Findings) -> None:
    sockets: list[ClientConnection] = []
    try:
        opening = await client.connected(running.websocket, CROWD, at_once=AT_ONCE, into=sockets)
        _say_errors(findings, "crowd_errors", opening)
        await client.crowd(sockets, for_s=CROWD_WARM_UP_S)
        measured = asyncio.create_task(client.crowd(sockets, for_s=CROWD_S))
        began = time.perf_counter()
        outcomes = await measured
        took = time.perf_counter() - began
        # Memory in a stretch of its own: looking at it takes processor time.
        again = asyncio.create_task(client.crowd(sockets, for_s=1.0))
        await asyncio.sleep(0.5)
        footprint = await asyncio.to_thread(running.program.footprint)
        await again
    finally:
        await client.closed(sockets)
    findings.found("crowd_errors", len(opening.errors) + len(outcomes.errors))
    _say_errors(findings, "crowd_errors", outcomes)
    findings.found("crowd_rate", len(outcomes.seconds) / took)
    if outcomes.seconds:
        findings.found("crowd_p99", summary(outcomes.seconds).p99 * 1000)
    findings.found("crowd_memory", footprint.megabytes)
    findings.found("crowd_processes", footprint.processes)


async def _idle(running: Running, findings: Findings) -> None:
    await asyncio.sleep(1.0)  # the crowd's `$disconnect`
    sockets: list[ClientConnection] = []
    try:
        began = time.perf_counter()
        outcomes = await client.connected(running.websocket, IDLE, at_once=AT_ONCE, into=sockets)
        took = time.perf_counter() - began
        await asyncio.sleep(2.0)
        footprint = await asyncio.to_thread(running.program.footprint)
        for socket in sockets[:: max(1, len(sockets) // 10)]:
            await client.round_trip(socket, "still there")
    finally:
        await client.closed(sockets)
    _say_errors(findings, "idle_open", outcomes)
    findings.found("idle_open", len(outcomes.seconds))
    findings.found("connect_rate", len(outcomes.seconds) / took)
    if outcomes.seconds:
        findings.found("connect_p99", summary(outcomes.seconds).p99 * 1000)
    findings.found("idle_memory", footprint.megabytes)


@contextlib.contextmanager
def _running(
    peer: Peer, installed: Path, scratch: Path, findings: Findings, keys: tuple[Key, ...]
) -> Iterator[Running | None]:
    try:
        running = peer.start(installed, scratch)
    except DidNotStart as error:
        findings.failed(keys, error)
        yield None
        return
    try:
        yield running
    finally:
        running.program.stop()


async def _step(findings: Findings, keys: tuple[Key, ...], step: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(BOUND_S):
            await step()
    except TROUBLE as error:
        findings.failed(keys, error)


def _say_errors(findings: Findings, key: Key, outcomes: Outcomes) -> None:
    for text, times in Counter(outcomes.errors).most_common(3):
        findings.trouble(key, f"{times} × {text}")
