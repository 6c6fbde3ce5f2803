"""Invocations that wait, or are refused, on demand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emulator.contract import Throttled
from emulator.faults.models import IntegrationDelayed, InvocationDelayed, InvocationThrottled
from emulator.faults.registry import FaultRegistry
from emulator.functions import LambdaOptions
from emulator.functions.options import LambdaLimits
from tests.emulator.functions.support import answer, eventually, function, running

SOURCE = "def handler(event, context):\n    return event"


async def test_an_invocation_waits(tmp_path: Path) -> None:
    """Once, by so many seconds; the next one is quick again."""
    book = FaultRegistry()
    async with running(function(tmp_path, SOURCE), faults=book) as service:
        answer(await service.invoke("fn", b"1"))
        book.add(InvocationDelayed(function="fn", delay_s=0.5))
        before = time.monotonic()
        answer(await service.invoke("fn", b"1"))
        assert time.monotonic() - before >= 0.49
        before = time.monotonic()
        answer(await service.invoke("fn", b"1"))
        assert time.monotonic() - before < 0.49


async def test_an_invocation_is_refused(tmp_path: Path) -> None:
    """As by the function's own limit; another function's is not."""
    book = FaultRegistry([InvocationThrottled(function="fn")])
    async with running(function(tmp_path, SOURCE), function(tmp_path, SOURCE, name="other"), faults=book) as service:
        answer(await service.invoke("other", b"1"))
        with pytest.raises(Throttled):
            await service.invoke("fn", b"1")
        answer(await service.invoke("fn", b"1"))


async def test_an_event_that_is_refused_is_tried_again(tmp_path: Path) -> None:
    """Without counting as an attempt."""
    file = tmp_path / "ran"
    source = f"def handler(event, context):\n    open({str(file)!r}, 'a').write('x')"
    book = FaultRegistry([InvocationThrottled(count=2)])
    options = LambdaOptions(limits=LambdaLimits(throttle_wait=0.05))
    async with running(function(tmp_path, source, retries=0), faults=book, options=options) as service:
        await service.invoke_event("fn", b"1")
        await eventually(lambda: service.events_waiting == 0)
    assert file.read_text() == "x"
    assert book.standing() == ()


async def test_the_gateway_waits_for_one_connection() -> None:
    """And for no other."""
    book = FaultRegistry([IntegrationDelayed(connection="a", delay_s=0.3)])
    took = []
    for connection in ("b", "a", "a"):
        before = time.monotonic()
        await book.on_integration("$default", connection)
        took.append(time.monotonic() - before)
    assert [seconds > 0.25 for seconds in took] == [False, True, False]
