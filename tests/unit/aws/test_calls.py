"""The pool of threads that blocking calls run in."""

import asyncio
import threading
import time

import pytest

from dayfly.aws.calls import Pool


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("aws")]


def test_no_thread_outlives_the_invocation() -> None:
    """Leaving the pool waits for what is under way, also where its caller was cancelled, and ends the threads."""
    pool = Pool(threads=2)
    done: list[str] = []

    def slow() -> None:
        time.sleep(0.1)
        done.append("slow")

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.run(slow), 0.01)

    with pool:
        asyncio.run(give_up())
        assert workers()
    assert done == ["slow"]
    assert workers() == []


def test_a_pool_opens_again_for_the_next_invocation() -> None:
    """The object is process-lived; its threads are the invocation's."""
    pool = Pool()
    for _ in range(2):
        with pool:
            assert asyncio.run(pool.run(lambda: 7)) == 7


def test_a_call_after_the_invocation_is_an_error() -> None:
    """Nothing runs in a pool that is closed, and one pool serves one invocation at a time."""
    pool = Pool()
    with pytest.raises(RuntimeError, match="outlived"):
        asyncio.run(pool.run(lambda: 7))
    with pool, pytest.raises(RuntimeError, match="already"):
        pool.__enter__()


def test_calls_come_from_several_event_loops() -> None:
    """The engine's loop and the agent's, in another thread, use one pool."""
    pool = Pool()
    found: list[int] = []
    with pool:
        other = threading.Thread(target=lambda: found.append(asyncio.run(pool.run(lambda: 1))))
        other.start()
        found.append(asyncio.run(pool.run(lambda: 2)))
        other.join()
    assert sorted(found) == [1, 2]


def test_the_pool_is_bounded() -> None:
    """No more calls run at once than there are threads."""
    pool = Pool(threads=3)
    running, most = 0, 0
    lock = threading.Lock()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def many() -> None:
        await asyncio.gather(*(pool.run(call) for _ in range(12)))

    with pool:
        asyncio.run(many())
    assert most == 3
