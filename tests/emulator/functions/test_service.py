"""Invoke: limits, tenants, payloads, what a function sees."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from emulator.contract import FunctionNotFound, InvalidPayload, InvalidTenant, PayloadTooLarge, Throttled
from emulator.functions import LambdaOptions
from emulator.functions.options import LambdaLimits
from tests.emulator.functions.support import Log, answer, error, eventually, function, running

PID = "import os, time\ndef handler(event, context):\n    time.sleep(event or 0)\n    return os.getpid()\n"


async def test_concurrent_calls_get_an_environment_each(tmp_path: Path) -> None:
    """Lambda scales out: an environment serves one call at a time."""
    async with running(function(tmp_path, PID)) as service:
        calls = await asyncio.gather(*(service.invoke("fn", b"1") for _ in range(4)))
        assert len({str(answer(call)) for call in calls}) == 4
        again = await asyncio.gather(*(service.invoke("fn", b"0.1") for _ in range(4)))
        assert {str(answer(call)) for call in again} == {str(answer(call)) for call in calls}


async def test_over_the_reserved_concurrency_a_call_is_throttled(tmp_path: Path) -> None:
    """With a reserved concurrency of 1 the second call at once is refused."""
    async with running(function(tmp_path, PID, reserved=1)) as service:
        first = asyncio.create_task(service.invoke("fn", b"0.3"))
        await asyncio.sleep(0.1)
        with pytest.raises(Throttled):
            await service.invoke("fn", b"0")
        answer(await first)
        answer(await service.invoke("fn", b"0"))


async def test_tenants_never_share_an_environment(tmp_path: Path) -> None:
    """With PER_TENANT each tenant has environments of its own, and the context names the tenant."""
    source = "import os\ndef handler(event, context):\n    return [os.getpid(), context.tenant_id]"
    async with running(function(tmp_path, source, tenants=True)) as service:
        a1 = answer(await service.invoke("fn", b"{}", tenant_id="a"))
        b1 = answer(await service.invoke("fn", b"{}", tenant_id="b"))
        a2 = answer(await service.invoke("fn", b"{}", tenant_id="a"))
    assert isinstance(a1, list)
    assert isinstance(b1, list)
    assert a1 == a2
    assert a1[0] != b1[0]
    assert (a1[1], b1[1]) == ("a", "b")


@pytest.mark.parametrize("tenant_id", [None, "", "a#b", "é", "x" * 257, "a\n"])
async def test_an_isolated_function_needs_a_legal_tenant(tmp_path: Path, tenant_id: str | None) -> None:
    """PER_TENANT refuses a missing tenant id and one outside `[a-zA-Z0-9._:/=+\\-@ ]{1,256}`."""
    async with running(function(tmp_path, PID, tenants=True)) as service:
        with pytest.raises(InvalidTenant):
            await service.invoke("fn", b"0", tenant_id=tenant_id)


async def test_a_shared_function_refuses_a_tenant(tmp_path: Path) -> None:
    """Without a tenancy configuration a tenant id is an error."""
    async with running(function(tmp_path, PID)) as service:
        with pytest.raises(InvalidTenant):
            await service.invoke_event("fn", b"0", tenant_id="a")


async def test_calls_that_lambda_refuses(tmp_path: Path) -> None:
    """Unknown function, broken JSON, over 6 MB, over 1 MB asynchronously."""
    async with running(function(tmp_path, PID)) as service:
        with pytest.raises(FunctionNotFound):
            await service.invoke("other", b"{}")
        with pytest.raises(InvalidPayload):
            await service.invoke("fn", b"{")
        with pytest.raises(PayloadTooLarge):
            await service.invoke("fn", b'"' + b"x" * (6 * 1024 * 1024) + b'"')
        with pytest.raises(PayloadTooLarge):
            await service.invoke_event("fn", b'"' + b"x" * (1024 * 1024) + b'"')


async def test_an_answer_over_6_mb_is_an_error(tmp_path: Path) -> None:
    """A response over the limit becomes Function.ResponseSizeTooLarge."""
    source = "def handler(event, context):\n    return 'x' * event"
    async with running(function(tmp_path, source)) as service:
        found = error(await service.invoke("fn", b"6300000"))
        assert found["errorType"] == "Function.ResponseSizeTooLarge"
        assert answer(await service.invoke("fn", b"3")) == "xxx"


async def test_an_arn_names_the_function(tmp_path: Path) -> None:
    """Full and partial ARNs are accepted, and the context has the ARN."""
    source = "def handler(event, context):\n    return context.invoked_function_arn"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:fn"
    async with running(function(tmp_path, source)) as service:
        assert answer(await service.invoke(arn, b"{}")) == arn
        assert answer(await service.invoke("123456789012:function:fn:$LATEST", b"{}")) == arn


async def test_what_a_function_sees_of_its_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's variables, the template's, layers on the path, the task root first; nothing of the developer's shell."""
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    monkeypatch.setenv("AWS_PROFILE", "work")
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "of_layer.py").write_text("NAME = 'layer'", encoding="utf-8")
    source = """
        import os, of_layer, sys
        def handler(event, context):
            left = context.get_remaining_time_in_millis()
            return {"env": dict(os.environ), "layer": of_layer.NAME, "left": left, "cwd": os.getcwd(),
                    "path0": sys.path[0], "name": context.function_name, "memory": context.memory_limit_in_mb}
    """
    spec = function(tmp_path, source, layers=(layer,), environment={"OWN": "1"})
    async with running(spec) as service:
        seen = answer(await service.invoke("fn", b"{}"))
    assert isinstance(seen, dict)
    variables = seen["env"]
    assert "SECRET_OF_THE_SHELL" not in variables
    assert "AWS_PROFILE" not in variables
    assert variables["OWN"] == "1"
    assert variables["_HANDLER"] == "app.handler"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "fn"
    assert variables["AWS_REGION"] == "us-east-1"
    assert variables["_X_AMZN_TRACE_ID"].endswith("Sampled=0")
    assert seen["layer"] == "layer"
    assert seen["path0"] == seen["cwd"] == str(spec.code_dir)
    assert (seen["name"], seen["memory"]) == ("fn", "128")
    assert 4000 < seen["left"] <= 5000


async def test_a_saved_file_recycles_the_environment(tmp_path: Path) -> None:
    """After a source file changed the next call runs the new code."""
    spec = function(tmp_path, "def handler(event, context):\n    return 'old'")
    log = Log()
    async with running(spec, log=log) as service:
        assert answer(await service.invoke("fn", b"{}")) == "old"
        (spec.code_dir / "app.py").write_text("def handler(event, context):\n    return 'newer'", encoding="utf-8")
        await eventually(lambda: "reloaded: app.py changed" in log.texts)
        assert answer(await service.invoke("fn", b"{}")) == "newer"
        assert service.environments("fn") == 1


async def test_idle_environments_end(tmp_path: Path) -> None:
    """An environment unused for the idle time is gone."""
    async with running(function(tmp_path, PID), options=LambdaOptions(idle_s=0.2)) as service:
        await service.invoke("fn", b"0")
        await asyncio.sleep(0.5)
        assert service.environments("fn") == 0


async def test_the_least_recently_used_tenant_makes_room(tmp_path: Path) -> None:
    """Over the cap on environments the one that was idle longest ends."""
    spec = function(tmp_path, PID, tenants=True)
    async with running(spec, options=LambdaOptions(max_environments=2)) as service:
        first = [answer(await service.invoke("fn", b"0", tenant_id=tenant)) for tenant in ("a", "b", "a")]
        await service.invoke("fn", b"0", tenant_id="c")
        assert service.environments("fn") == 2
        assert answer(await service.invoke("fn", b"0", tenant_id="a")) == first[0]


async def test_a_call_outlives_its_caller(tmp_path: Path) -> None:
    """A caller that gives up does not end the invocation; the environment is warm afterwards."""
    source = """
        import os, time
        done = []
        def handler(event, context):
            time.sleep(event)
            done.append(event)
            return done
    """
    async with running(function(tmp_path, source)) as service:
        await service.invoke("fn", b"0")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(service.invoke("fn", b"0.3"), 0.1)
        await asyncio.sleep(0.4)
        assert answer(await service.invoke("fn", b"0")) == [0, 0.3, 0]


async def test_the_log_has_the_lines_of_an_invocation_in_order(tmp_path: Path) -> None:
    """START, the function's own lines, an unfinished last one too, END, REPORT; each names function and request."""
    source = "def handler(event, context):\n    print('one')\n    print('two', end='')"
    log = Log()
    async with running(function(tmp_path, source), log=log) as service:
        call = await service.invoke("fn", b"{}")
    assert [text.split(" ")[0].split("\t")[0] for text in log.texts] == ["START", "one", "two", "END", "REPORT"]
    assert {(line.function, line.request_id) for line in log} == {("fn", call.request_id)}


async def test_a_warm_call_is_quick(tmp_path: Path) -> None:
    """A hundred warm calls take well under a second each; the wide ceiling only catches a stall."""
    async with running(function(tmp_path, PID)) as service:
        await service.invoke("fn", b"0")
        began = time.monotonic()
        for _ in range(100):
            await service.invoke("fn", b"0")
        assert time.monotonic() - began < 10


async def test_a_burst_of_cold_starts_is_served_whole(tmp_path: Path) -> None:
    """More calls at once than init phases allowed at once: all are answered, each by an environment of its own."""
    async with running(function(tmp_path, PID), options=LambdaOptions(inits=2)) as service:
        calls = await asyncio.gather(*(service.invoke("fn", b"2") for _ in range(8)))
        assert len({str(answer(call)) for call in calls}) == 8


async def test_a_call_that_may_not_start_one_takes_an_environment_that_is_freed(tmp_path: Path) -> None:
    """With one init at a time, a burst of short calls is answered by fewer environments than calls."""
    options = LambdaOptions(inits=1)
    async with running(function(tmp_path, PID), options=options) as service:
        calls = await asyncio.gather(*(service.invoke("fn", b"0") for _ in range(30)))
        assert 1 <= len({str(answer(call)) for call in calls}) < 30
        # Every slot was given back: a tenth of a second of work each still scales out.
        calls = await asyncio.gather(*(service.invoke("fn", b"0.5") for _ in range(3)))
        assert len({str(answer(call)) for call in calls}) >= 2


async def test_short_calls_wait_for_one_another_rather_than_start_an_environment_each(tmp_path: Path) -> None:
    """Once a call is known to take less than a start, many at once are answered by few environments."""
    async with running(function(tmp_path, PID)) as service:
        await service.invoke("fn", b"0")
        await asyncio.gather(*(service.invoke("fn", b"0") for _ in range(40)))
        assert service.environments("fn") < 10


async def test_a_long_call_holds_a_short_one_back_for_a_start_at_most(tmp_path: Path) -> None:
    """Where calls have been short, a call behind a long one still gets an environment of its own soon."""
    async with running(function(tmp_path, PID)) as service:
        await service.invoke("fn", b"0")
        long = asyncio.create_task(service.invoke("fn", b"20"))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(15):
            await service.invoke("fn", b"0")
        assert not long.done()
        await service.kill("fn")
        await long


async def test_a_call_takes_whichever_environment_is_there_first(tmp_path: Path) -> None:
    """A call that has an environment started for it runs in the busy one if that is free sooner."""
    spec = function(tmp_path, f"import time\ntime.sleep(1.5)\n{PID}")
    async with running(spec) as service:
        first = answer(await service.invoke("fn", b"0"))
        began = time.monotonic()
        calls = await asyncio.gather(*(service.invoke("fn", b"0.1") for _ in range(2)))
        assert {str(answer(call)) for call in calls} == {str(first)}
        assert time.monotonic() - began < 1.4


async def test_stop_during_cold_starts_ends_them(tmp_path: Path) -> None:
    """Stopping while environments start, or wait to start, leaves nothing behind and does not hang."""
    spec = function(tmp_path, "import time\ntime.sleep(30)\ndef handler(event, context): ...")
    async with running(spec, options=LambdaOptions(inits=2)) as service:
        calls = [asyncio.create_task(service.invoke("fn", b"1")) for _ in range(4)]
        await asyncio.sleep(0.3)
    await asyncio.gather(*calls, return_exceptions=True)
    assert all(call.cancelled() for call in calls)
    assert service.environments("fn") == 0


async def test_an_init_over_its_bound_is_tried_again_in_the_time_of_the_function(tmp_path: Path) -> None:
    """An init that hangs is killed at its bound, then runs once more until the function's own time-out."""
    spec = function(tmp_path, "import time\ntime.sleep(30)\ndef handler(event, context): ...", timeout_s=1)
    async with running(spec, options=LambdaOptions(limits=LambdaLimits(init_time=0.5))) as service:
        began = time.monotonic()
        late = await service.invoke("fn", b"{}")
        assert 1.4 < time.monotonic() - began < 10
        assert error(late)["errorMessage"] == f"RequestId: {late.request_id} Error: Task timed out after 1.00 seconds"


async def test_a_folder_that_is_gone_fails_the_call_at_once(tmp_path: Path) -> None:
    """Where no process can be started the invocation ends with an error, and the next one works once the folder is
    back."""
    spec = function(tmp_path, PID)
    away = tmp_path / "away"
    async with running(spec) as service:
        spec.code_dir.rename(away)
        async with asyncio.timeout(5):
            failed = error(await service.invoke("fn", b"0"))
        assert failed["errorType"] == "Runtime.InvalidEntrypoint"
        assert "No such file or directory" in failed["errorMessage"]
        away.rename(spec.code_dir)
        assert isinstance(answer(await service.invoke("fn", b"0")), int)


async def test_variables_that_are_too_big_fail_the_call_at_once(tmp_path: Path) -> None:
    """What the system refuses to start is an error of the call, not of the emulator."""
    async with running(function(tmp_path, PID, environment={"BIG": "x" * 4_000_000})) as service:
        async with asyncio.timeout(5):
            failed = error(await service.invoke("fn", b"0"))
        assert failed["errorType"] == "Runtime.InvalidEntrypoint"
        assert service.environments("fn") == 0
