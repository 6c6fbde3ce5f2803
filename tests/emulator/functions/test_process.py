"""Environments that end: crash, exit, failed init, kill, stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.emulator.functions.support import Log, alive, answer, error, eventually, function, running


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(1)", "Runtime exited with error: exit status 1"),
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
async def test_a_crash_is_an_exit_error_and_the_next_call_is_cold(tmp_path: Path, statement: str, reason: str) -> None:
    """A process that ends during a call answers Runtime.ExitError; a new one serves the next call."""
    spec = function(
        tmp_path,
        f"""
        import os, sys
        def handler(event, context):
            if event == "die":
                {statement}
            return event
    """,
    )
    async with running(spec) as service:
        crashed = await service.invoke("fn", b'"die"')
        assert error(crashed) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {crashed.request_id} Error: {reason}",
        }
        assert answer(await service.invoke("fn", b'"live"')) == "live"


async def test_an_exception_is_reported_as_the_runtime_encodes_it(tmp_path: Path) -> None:
    """A raised exception answers with its type, message, request id and stack, and the environment lives on."""
    spec = function(
        tmp_path,
        """
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if event == "raise":
                raise KeyError("gone")
            return calls
    """,
    )
    async with running(spec) as service:
        failed = await service.invoke("fn", b'"raise"')
        found = error(failed)
        assert (found["errorType"], found["errorMessage"], found["requestId"]) == (
            "KeyError",
            "'gone'",
            failed.request_id,
        )
        assert answer(await service.invoke("fn", b"1")) == 2


@pytest.mark.parametrize(
    ("source", "error_type"),
    [
        ("def handler(event, context):\n    return (", "Runtime.UserCodeSyntaxError"),
        ("import no_such_module", "Runtime.ImportModuleError"),
        ("def other(event, context): ...", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('at import')", "RuntimeError"),
        ("import os\nos._exit(3)", "Runtime.ExitError"),
    ],
)
async def test_a_failed_init_is_tried_once_more_and_reported(tmp_path: Path, source: str, error_type: str) -> None:
    """A handler that can't be loaded answers with the reason; the init phase runs twice, as on AWS."""
    log = Log()
    async with running(function(tmp_path, source), log=log) as service:
        assert error(await service.invoke("fn", b"{}"))["errorType"] == error_type
        assert service.environments("fn") == 0
    assert sum("INIT_REPORT" in text for text in log.texts) == 2


async def test_a_frozen_environment_can_be_killed(tmp_path: Path) -> None:
    """The kill hook ends an idle, frozen process; the next call is served by a cold one."""
    spec = function(tmp_path, "import os\ndef handler(event, context):\n    return os.getpid()")
    async with running(spec) as service:
        first = answer(await service.invoke("fn", b"{}"))
        assert await service.kill("fn") == 1
        second = answer(await service.invoke("fn", b"{}"))
        assert first != second
        assert isinstance(first, int)
        assert not alive(first)


async def test_killing_a_busy_environment_ends_its_call(tmp_path: Path) -> None:
    """The kill hook during a call answers it with Runtime.ExitError."""
    spec = function(tmp_path, "import time\ndef handler(event, context):\n    time.sleep(30)")
    log = Log()
    async with running(spec, log=log) as service:
        call = asyncio.create_task(service.invoke("fn", b"{}"))
        await eventually(lambda: any(text.startswith("START") for text in log.texts))
        await service.kill("fn")
        assert "signal: killed" in error(await call)["errorMessage"]


async def test_stop_leaves_no_process(tmp_path: Path) -> None:
    """After stop neither an idle nor a busy environment, nor a process that it started, is there."""
    spec = function(
        tmp_path,
        """
        import os, subprocess, time
        child = subprocess.Popen(["sleep", "60"])
        def handler(event, context):
            with open(event["file"], "w") as file:
                file.write(f"{os.getpid()} {child.pid}")
            time.sleep(event["sleep"])
    """,
    )
    files = [tmp_path / "idle", tmp_path / "busy"]
    async with running(spec) as service:
        busy = asyncio.create_task(service.invoke("fn", b'{"file": "%s", "sleep": 30}' % str(files[1]).encode()))
        await service.invoke("fn", b'{"file": "%s", "sleep": 0}' % str(files[0]).encode())
        await eventually(lambda: files[1].exists() and bool(files[1].read_text()))
    assert busy.done()
    pids = [int(pid) for file in files for pid in file.read_text().split()]
    assert len(pids) == 4
    await eventually(lambda: not any(alive(pid) for pid in pids))
