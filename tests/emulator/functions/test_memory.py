"""The memory size: what is over it is killed, however short it lasted."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.functions import LambdaOptions
from tests.emulator.functions.support import Log, answer, error, function, running

SOURCE = """
    import os, time
    kept = []
    def handler(event, context):
        block = bytearray(os.urandom(1024)) * (1024 * event["mb"])
        if event.get("keep"):
            kept.append(block)
        time.sleep(event.get("sleep", 0))
        return os.getpid()
"""


@pytest.mark.parametrize("event", [b'{"mb": 200, "sleep": 4}', b'{"mb": 200}'])
async def test_over_its_memory_a_function_is_killed(tmp_path: Path, event: bytes) -> None:
    """While it runs, and also if it had answered already; the next call is cold, REPORT says that all was used."""
    log = Log()
    async with running(function(tmp_path, SOURCE), log=log) as service:
        before = answer(await service.invoke("fn", b'{"mb": 1}'))
        call = await service.invoke("fn", event)
        assert error(call) == {
            "errorType": "Runtime.OutOfMemory",
            "errorMessage": f"RequestId: {call.request_id} Error: Runtime exited with error: signal: killed",
        }
        assert answer(await service.invoke("fn", b'{"mb": 1}')) != before
    report = next(line.report for line in log if line.report and line.request_id == call.request_id)
    assert (report.peak_memory_mb, report.status, report.error_type) == (128, "error", "Runtime.OutOfMemory")


async def test_a_larger_size_allows_more(tmp_path: Path) -> None:
    """The same use fits into 512 MB, and is what REPORT tells."""
    log = Log()
    async with running(function(tmp_path, SOURCE, memory_mb=512), log=log) as service:
        answer(await service.invoke("fn", b'{"mb": 200}'))
    (report,) = (line.report for line in log if line.report)
    assert report.peak_memory_mb is not None
    assert 200 <= report.peak_memory_mb <= 300


async def test_the_limit_can_be_switched_off(tmp_path: Path) -> None:
    """With `memory_limit` off a function may use what it likes."""
    async with running(function(tmp_path, SOURCE), options=LambdaOptions(memory_limit=False)) as service:
        answer(await service.invoke("fn", b'{"mb": 200, "sleep": 0.3}'))
