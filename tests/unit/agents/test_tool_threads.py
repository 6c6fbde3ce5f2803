"""Threads for tools that are plain functions."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from dayfly.agents.tool_threads import run_in_thread, running_tool_threads

WHO: ContextVar[str] = ContextVar("WHO")


async def test_it_returns_and_raises_as_the_function_does() -> None:
    """In a thread of its own, with the caller's context variables."""
    WHO.set("alice")
    assert await run_in_thread(lambda: (WHO.get(), threading.current_thread().name), name="x") == ("alice", "tool-x")
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 / 0, name="x")


async def test_stop_iteration_is_an_error_like_any_other() -> None:
    """It may not end an awaiting generator in silence."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        await run_in_thread(lambda: next(iter(())), name="x")


async def test_an_abandoned_call_is_named_until_it_ends() -> None:
    """Cancelling returns at once, and the thread can be told of."""
    begun, release = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        release.wait(30)

    waiting = asyncio.create_task(run_in_thread(block, name="block"))
    assert await asyncio.to_thread(begun.wait, 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert running_tool_threads() == ("block",)
    thread = next(thread for thread in threading.enumerate() if thread.name == "tool-block")
    release.set()
    await asyncio.to_thread(thread.join, 5)
    assert running_tool_threads() == ()


def test_an_event_loop_closes_while_a_call_still_blocks() -> None:
    """The loop does not wait for the thread, and the thread outlives the loop without an error."""
    begun, release = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        release.wait(30)

    async def abandon() -> None:
        waiting = asyncio.create_task(run_in_thread(block, name="block"))
        await asyncio.to_thread(begun.wait, 5)
        waiting.cancel()

    asyncio.run(abandon())
    thread = next(thread for thread in threading.enumerate() if thread.name == "tool-block")
    release.set()
    thread.join(5)
    assert not thread.is_alive()
