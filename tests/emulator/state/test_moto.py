"""The moto process: started when something asks for it."""

import asyncio
import logging
import os
import signal

import pytest
from aiohttp import ClientConnectionError, ClientSession

from emulator.processes import Reaper
from emulator.state import MotoFailed, State
from emulator.state.calls import AwsCalls
from emulator.state.moto import Moto
from tests.emulator.functions.support import eventually
from tests.emulator.state.support import TABLE_ALONE


async def queue_made(url: str) -> None:
    """Make a queue at an address."""
    async with ClientSession() as session:
        calls = AwsCalls(session, url=url, dynamodb_url=url, region="us-east-1")
        await calls.json("sqs", "AmazonSQS.CreateQueue", {"QueueName": "q"})


async def test_it_starts_with_the_first_call() -> None:
    """An application without state of its own starts none; a call waits for it and is answered."""
    with Reaper() as reaper:
        state = State(reaper=reaper)
        await state.start()
        try:
            before = state.moto_pid
            await queue_made(state.aws_url)
            assert (before, state.moto_pid is None) == (None, False)
        finally:
            await state.stop()


async def test_it_is_there_from_the_start_for_what_the_template_has() -> None:
    """A table is made in it."""
    with Reaper() as reaper:
        state = State(TABLE_ALONE, reaper=reaper)
        await state.start()
        try:
            assert state.moto_pid is not None
        finally:
            await state.stop()


async def test_a_start_that_takes_too_long_fails() -> None:
    """And nobody is left waiting at the port."""
    with Reaper() as reaper:
        moto = Moto(reaper=reaper, account_id="1" * 12, bound_s=0.01)
        with pytest.raises(MotoFailed):
            await moto.start()
        with pytest.raises(ClientConnectionError):
            await queue_made(moto.url)


async def test_who_asks_one_that_has_ended_is_refused() -> None:
    """It does not wait for an answer that nobody gives."""
    with Reaper() as reaper:
        moto = Moto(reaper=reaper, account_id="1" * 12, bound_s=60)
        await moto.start()
        assert moto.pid is not None
        os.kill(moto.pid, signal.SIGKILL)
        with pytest.raises(ClientConnectionError):
            await asyncio.wait_for(queue_made(moto.url), 5)
        await moto.stop()


async def test_a_late_start_that_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Who has asked gets an error instead of an answer, and the log a line."""
    with Reaper() as reaper:
        moto = Moto(reaper=reaper, account_id="1" * 12, bound_s=0.01)
        moto.start_when_asked()
        with caplog.at_level(logging.ERROR, "emulator"), pytest.raises(ClientConnectionError):
            await asyncio.wait_for(queue_made(moto.url), 30)
        await eventually(lambda: any("moto did not start" in each.message for each in caplog.records))
        await moto.stop()


async def test_one_that_was_never_asked_leaves_its_port() -> None:
    """As if it had run."""
    with Reaper() as reaper:
        moto = Moto(reaper=reaper, account_id="1" * 12, bound_s=30)
        moto.start_when_asked()
        await moto.stop()
        with pytest.raises(ClientConnectionError):
            await queue_made(moto.url)
