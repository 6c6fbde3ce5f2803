"""Environments that are killed while they run."""

from __future__ import annotations

from pathlib import Path

from emulator.faults.models import InvocationKilled
from emulator.faults.registry import FaultRegistry
from tests.emulator.functions.support import answer, error, function, running


async def test_the_next_invocation_loses_its_environment_and_the_one_after_is_cold(tmp_path: Path) -> None:
    """SIGKILL 0.1 s after the start ends a long call as a crash; the next call runs in a new process."""
    spec = function(
        tmp_path,
        """
        import os, time
        def handler(event, context):
            time.sleep(event["for"])
            return os.getpid()
    """,
    )
    book = FaultRegistry()
    async with running(spec, faults=book) as service:
        before = answer(await service.invoke("fn", b'{"for": 0}'))
        book.add(InvocationKilled(function="fn", after_s=0.1))
        killed = await service.invoke("fn", b'{"for": 4}')
        assert "signal: killed" in error(killed)["errorMessage"]
        assert answer(await service.invoke("fn", b'{"for": 0}')) != before


async def test_an_invocation_that_ended_in_time_is_spared(tmp_path: Path) -> None:
    """The environment of a quick call lives on, for the next call too."""
    spec = function(
        tmp_path,
        """
        import os, time
        def handler(event, context):
            time.sleep(event["for"])
            return os.getpid()
    """,
    )
    book = FaultRegistry()
    async with running(spec, faults=book) as service:
        await service.invoke("fn", b'{"for": 0}')
        book.add(InvocationKilled(after_s=0.2))
        before = answer(await service.invoke("fn", b'{"for": 0}'))
        assert answer(await service.invoke("fn", b'{"for": 0.4}')) == before
