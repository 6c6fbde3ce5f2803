"""Figures of Lambda that change while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from emulator.contract import Throttled
from emulator.functions.options import LambdaLimits
from tests.emulator.functions.support import answer, function, running

PID = "import os, time\ndef handler(event, context):\n    time.sleep(event or 0)\n    return os.getpid()\n"


@pytest.mark.parametrize(("name", "value"), [("speed", 1), ("init_time", 0), ("concurrency", 0.5), ("event_age", -1)])
def test_what_is_no_limit_is_refused(name: str, value: float) -> None:
    """An unknown name, or a value that is not positive."""
    with pytest.raises(ValueError, match=name):
        LambdaLimits().shortened(name, value)


def test_a_limit_is_changed_alone() -> None:
    """A whole number stays one."""
    limits = LambdaLimits().shortened("concurrency", 2.0)
    assert limits == LambdaLimits(concurrency=2)
    assert isinstance(limits.concurrency, int)


async def test_the_account_is_limited_over_all_functions_warm_or_not(tmp_path: Path) -> None:
    """With one environment busy and a limit of 1 another function is refused, though it has one that is free."""
    async with running(function(tmp_path, PID, name="a"), function(tmp_path, PID, name="b")) as service:
        for name in ("a", "b"):
            answer(await service.invoke(name, b"0"))
        service.limit(LambdaLimits(concurrency=1))
        busy = asyncio.create_task(service.invoke("a", b"0.4"))
        await asyncio.sleep(0.1)
        with pytest.raises(Throttled) as refusal:
            await service.invoke("b", b"0")
        assert refusal.value.reason == "ConcurrentInvocationLimitExceeded"
        answer(await busy)
        answer(await service.invoke("b", b"0"))


async def test_a_reserved_concurrency_is_shared_by_tenants(tmp_path: Path) -> None:
    """With a reserved concurrency of 1 a second tenant is refused while the first is busy, its own being free."""
    async with running(function(tmp_path, PID, tenants=True, reserved=1)) as service:
        for tenant in ("a", "b"):
            answer(await service.invoke("fn", b"0", tenant_id=tenant))
        busy = asyncio.create_task(service.invoke("fn", b"0.4", tenant_id="a"))
        await asyncio.sleep(0.1)
        with pytest.raises(Throttled) as refusal:
            await service.invoke("fn", b"0", tenant_id="b")
        assert refusal.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
        answer(await busy)


async def test_every_function_can_be_limited_alone(tmp_path: Path) -> None:
    """With a limit of 1 a second call of the same function is refused, another function's is not."""
    async with running(function(tmp_path, PID, name="a"), function(tmp_path, PID, name="b")) as service:
        service.limit(LambdaLimits(function_concurrency=1))
        busy = asyncio.create_task(service.invoke("a", b"1"))
        await asyncio.sleep(0.1)
        with pytest.raises(Throttled):
            await service.invoke("a", b"0")
        answer(await service.invoke("b", b"0"))
        answer(await busy)
