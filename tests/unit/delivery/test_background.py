"""Background tasks run beside their block, and end with it."""

import asyncio

import pytest

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import Unsettled


async def _takes(seconds: float, done: list[float]) -> None:
    await asyncio.sleep(seconds)
    done.append(asyncio.get_running_loop().time())


async def test_the_block_does_not_wait_but_its_end_does() -> None:
    """What is added runs beside the block, all at once, and is done behind it."""
    done: list[float] = []
    begun = asyncio.get_running_loop().time()
    async with BackgroundTasks() as background:
        for _ in range(3):
            background.add(lambda: _takes(5, done))
        await asyncio.sleep(1)
        assert done == []
    assert [at - begun for at in done] == pytest.approx([5, 5, 5])


async def test_so_many_at_once() -> None:
    """With room for two, five of one second each take three seconds."""
    done: list[float] = []
    begun = asyncio.get_running_loop().time()
    async with BackgroundTasks(at_once=2) as background:
        for _ in range(5):
            background.add(lambda: _takes(1, done))
    assert [at - begun for at in done] == pytest.approx([1, 1, 2, 2, 3])


async def test_time_is_counted_from_the_beginning() -> None:
    """What is done in time is done; what is not, or has not begun, is broken off."""
    done: list[float] = []
    begun = asyncio.get_running_loop().time()
    async with BackgroundTasks(at_once=1, within_s=4) as background:
        await asyncio.sleep(1)
        for _ in range(9):
            background.add(lambda: _takes(2, done))
    assert [at - begun for at in done] == pytest.approx([3])
    assert asyncio.get_running_loop().time() - begun == pytest.approx(4)
    assert len(asyncio.all_tasks()) == 1


async def test_a_task_that_a_service_refuses_is_left_undone() -> None:
    """A `PortError` of one task stops no other, and is no failure."""
    done: list[float] = []

    async def refused() -> None:
        raise Unsettled("throttled")

    async with BackgroundTasks() as background:
        background.add(refused)
        background.add(lambda: _takes(1, done))
    assert len(done) == 1


async def test_any_other_failure_is_raised_behind_the_block() -> None:
    """When all others are done; where the block has failed itself, that is what is raised."""
    done: list[float] = []

    async def broken() -> None:
        raise ValueError("broken")

    async def block(*, fails: bool) -> None:
        async with BackgroundTasks() as background:
            background.add(broken)
            background.add(lambda: _takes(1, done))
            if fails:
                raise KeyError

    with pytest.raises(ExceptionGroup) as raised:
        await block(fails=False)
    assert len(done) == 1
    assert [str(error) for error in raised.value.exceptions] == ["broken"]
    with pytest.raises(KeyError):
        await block(fails=True)
    assert len(done) == 2


async def test_whoever_is_cancelled_waits_for_none() -> None:
    """Nothing is left at work."""
    done: list[float] = []

    async def block() -> None:
        async with BackgroundTasks() as background:
            background.add(lambda: _takes(100, done))

    task = asyncio.create_task(block())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == []
    assert len(asyncio.all_tasks()) == 1
