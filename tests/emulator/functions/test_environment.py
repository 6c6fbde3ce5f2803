"""Environments: cold, warm, frozen, ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

from emulator.functions import LambdaOptions
from emulator.functions.environment import Environment
from emulator.processes import Reaper
from tests.emulator.functions.support import Log, answer, error, function, running


async def test_one_environment_serves_calls_in_turn_and_keeps_module_state(tmp_path: Path) -> None:
    """A second call finds the module state of the first: the environment is reused."""
    spec = function(tmp_path, """
        import os
        seen = []
        def handler(event, context):
            seen.append(event["n"])
            return {"seen": seen, "pid": os.getpid()}
    """)  # fmt: skip
    log = Log()
    async with running(spec, log=log) as service:
        first = answer(await service.invoke("fn", b'{"n": 1}'))
        second = answer(await service.invoke("fn", b'{"n": 2}'))
    assert isinstance(first, dict)
    assert second == {"seen": [1, 2], "pid": first["pid"]}
    reports = [text for text in log.texts if text.startswith("REPORT")]
    assert ["Init Duration" in report for report in reports] == [True, False]


async def test_a_thread_makes_no_progress_while_the_environment_is_frozen(tmp_path: Path) -> None:
    """Between two invocations every thread of the environment stands still, and goes on in the next one."""
    spec = function(tmp_path, """
        import threading, time
        ticks = 0
        def tick():
            global ticks
            while True:
                time.sleep(0.01)
                ticks += 1
        threading.Thread(target=tick, daemon=True).start()
        def handler(event, context):
            before = ticks
            time.sleep(event["sleep"])
            return [before, ticks]
    """)  # fmt: skip
    async with running(spec) as service:
        first = answer(await service.invoke("fn", b'{"sleep": 0.1}'))
        await asyncio.sleep(0.6)
        second = answer(await service.invoke("fn", b'{"sleep": 0.1}'))
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert second[0] - first[1] <= 3
    assert second[1] > second[0]


async def test_a_call_over_its_time_is_killed_and_the_next_is_cold(tmp_path: Path) -> None:
    """At the time-out the caller gets Sandbox.Timedout, and the environment is gone."""
    spec = function(tmp_path, """
        import os, time
        def handler(event, context):
            time.sleep(event)
            return os.getpid()
    """, timeout_s=1)  # fmt: skip
    async with running(spec) as service:
        pid = answer(await service.invoke("fn", b"0"))
        late = await service.invoke("fn", b"30")
        after = answer(await service.invoke("fn", b"0"))
    assert error(late) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {late.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert after != pid


async def test_a_runtime_may_ask_before_its_start_is_known(tmp_path: Path) -> None:
    """Beside a busy event loop the process asks for work before its start has returned, and gets work all the same."""
    idle: list[Environment] = []
    with Reaper() as reaper:
        environment = Environment(
            function(tmp_path, ""),
            tenant_id=None,
            signature=(),
            options=LambdaOptions(),
            log=Log().append,
            reaper=reaper,
            on_idle=idle.append,
            on_dead=lambda _: None,
        )
        environment.next(lambda _: None)
        assert idle == []
        await environment.start({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "_HANDLER": "app.handler"})
        assert idle == [environment]
        await environment.wait_ready(1)
        await environment.stop()
