"""Environments: cold, warm, frozen, ended."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emulator.functions import LambdaOptions
from emulator.functions.call import Call, Outcome
from emulator.functions.environment import Environment, Kind
from emulator.functions.lifecycle import Exited, IllegalTransition, InitFailed, State
from emulator.processes import Reaper
from tests.emulator.functions.support import Log, Moves, answer, error, function, running


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


@asynccontextmanager
async def alone(
    folder: Path, moves: Moves, *, freeze: bool = False
) -> AsyncIterator[tuple[Environment, dict[str, str]]]:
    """An environment that has not been started, and the variables to do so; nothing is left of it afterwards.

    Its runtime gets no answer from its API: the test itself speaks for it.
    """
    with Reaper() as reaper, socket.create_server(("127.0.0.1", 0)) as api:
        variables = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}", "_HANDLER": "app.handler"}
        environment = Environment(
            function(folder, ""),
            kind=Kind("fn", None, ()),
            options=LambdaOptions(freeze=freeze),
            log=Log().append,
            reaper=reaper,
            owner=moves,
        )
        try:
            yield environment, variables
        finally:
            await environment.stop()


def called() -> Call:
    """One invocation."""
    return Call(request_id="id", function_arn="arn", payload=b"{}", timeout_s=30, tenant_id=None, trace_id="Root=1-0-0")


async def test_a_runtime_may_ask_before_its_start_is_known(tmp_path: Path) -> None:
    """Beside a busy event loop the process asks for work before its start has returned, and gets work all the same."""
    moves = Moves()
    async with alone(tmp_path, moves) as (environment, variables):
        environment.next(lambda _: None)
        assert moves == [(None, State.STARTING)]
        await environment.start(variables)
        assert moves[1:] == [(State.STARTING, State.IDLE)]
        await environment.wait_ready(1)


async def test_its_life_is_told_step_by_step(tmp_path: Path) -> None:
    """Started, idle, frozen, reserved, busy, idle again and so on, until it is killed in the midst of a call."""
    moves = Moves()
    async with alone(tmp_path, moves, freeze=True) as (environment, variables):
        await environment.start(variables)
        environment.next(lambda _: None)
        await asyncio.sleep(0)
        environment.reserve()
        environment.run(called())
        assert environment.respond("id", Outcome(b"1", failed=False))
        environment.next(lambda _: None)
        environment.reserve()
        environment.run(called())
    states = [State.STARTING, State.IDLE, State.FROZEN, State.RESERVED, State.BUSY]
    states += [State.IDLE, State.RESERVED, State.BUSY, State.ENDING, State.DEAD]
    assert [after for _, after in moves] == states
    assert [before for before, _ in moves] == [None, *states[:-1]]


async def test_one_that_is_reserved_in_vain_freezes(tmp_path: Path) -> None:
    """It is free again, and stands still as before."""
    moves = Moves()
    async with alone(tmp_path, moves, freeze=True) as (environment, variables):
        await environment.start(variables)
        environment.next(lambda _: None)
        environment.reserve()
        environment.release()
        await asyncio.sleep(0)
        assert [after for _, after in moves[-3:]] == [State.RESERVED, State.IDLE, State.FROZEN]


async def test_a_step_out_of_turn_is_refused(tmp_path: Path) -> None:
    """Running a call without having been reserved, being reserved twice, asking for work while there is none, and
    anything after its end."""
    moves = Moves()
    async with alone(tmp_path, moves) as (environment, variables):
        await environment.start(variables)
        with pytest.raises(IllegalTransition):
            environment.reserve()
        environment.next(lambda _: None)
        with pytest.raises(IllegalTransition):
            environment.next(lambda _: None)
        with pytest.raises(IllegalTransition):
            environment.run(called())
        environment.reserve()
        with pytest.raises(IllegalTransition):
            environment.reserve()
        environment.kill()
        with pytest.raises(IllegalTransition):
            environment.run(called())
        with pytest.raises(IllegalTransition):
            environment.next(lambda _: None)
        assert environment.state is State.DEAD


async def test_a_killed_one_asks_in_vain(tmp_path: Path) -> None:
    """Its runtime's request may have been on its way when it was killed in a call: no other call is given to it."""
    moves = Moves()
    async with alone(tmp_path, moves) as (environment, variables):
        await environment.start(variables)
        environment.next(lambda _: None)
        environment.reserve()
        environment.run(called())
        environment.kill()
        with pytest.raises(IllegalTransition):
            environment.next(lambda _: None)


async def test_one_killed_before_its_process_is_there_does_not_live(tmp_path: Path) -> None:
    """The process that comes all the same ends at once."""
    moves = Moves()
    async with alone(tmp_path, moves) as (environment, variables):
        environment.kill()
        await environment.start(variables)
        with pytest.raises(InitFailed) as failed:
            await environment.wait_ready(30)
        assert failed.value.reason == Exited(-signal.SIGKILL)
    assert moves == [(None, State.STARTING), (State.STARTING, State.DEAD)]
