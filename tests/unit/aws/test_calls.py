"""The pool of threads that blocking calls run in, what errors mean, and the wait before the next attempt."""

import asyncio
import random
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from dayfly.aws.calls import Pool, code_of, jittered, status_of, translated
from dayfly.errors import DayflyError, Unsettled
from dayfly.store.table import TableRefused


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


def client_error(code: str | None = None, status: int | None = None) -> ClientError:
    response: dict[str, Any] = {}
    if code is not None:
        response["Error"] = {"Code": code}
    if status is not None:
        response["ResponseMetadata"] = {"HTTPStatusCode": status}
    return ClientError(response, "Anything")  # type: ignore[arg-type]  # as it is, from an answer that says little


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (client_error("GoneException", 410), "GoneException", 410),
        (client_error(), "", 0),
        (ClientError({"Error": {}, "ResponseMetadata": {}}, "Anything"), "", 0),  # type: ignore[typeddict-item]
    ],
    ids=["says", "says nothing", "says less"],
)
def test_what_an_error_says(error: ClientError, code: str, status: int) -> None:
    """An answer that is not AWS's own has neither a name nor, perhaps, a status."""
    assert (code_of(error), status_of(error)) == (code, status)


@pytest.mark.parametrize(
    ("error", "becomes", "name"),
    [
        (client_error("ThrottlingException", 400), Unsettled, "ThrottlingException"),
        (client_error("Anything", 500), Unsettled, "Anything"),
        (client_error("Anything", 429), Unsettled, "Anything"),
        (client_error(status=503), Unsettled, "ClientError"),
        (client_error("Anything", 499), TableRefused, "Anything"),
        (client_error("Anything", 428), TableRefused, "Anything"),
        (client_error("Anything", 430), TableRefused, "Anything"),
        (client_error(), TableRefused, "ClientError"),
        (EndpointConnectionError(endpoint_url="x"), Unsettled, "EndpointConnectionError"),
        (ReadTimeoutError(endpoint_url="x"), Unsettled, "ReadTimeoutError"),
        (ResponseParserError("x"), Unsettled, "ResponseParserError"),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Unsettled, "IncompleteReadError"),
        (NoCredentialsError(), TableRefused, "NoCredentialsError"),
        (ParamValidationError(report="x"), TableRefused, "ParamValidationError"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_an_error_of_a_call(error: Exception, becomes: type[DayflyError], name: str) -> None:
    """What may have been carried out, or may be later, is unsettled; what will meet the same again is refused. Both
    carry AWS's name of it and nothing else."""
    made = translated(error, TableRefused)
    assert (type(made), str(made)) == (becomes, name)


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


def test_calls_that_wait_for_a_thread_are_given_up() -> None:
    """What has not begun when the invocation ends is not begun any more, though nobody took it back."""
    pool = Pool(threads=1)
    began: list[int] = []

    def slow() -> None:
        began.append(1)
        time.sleep(0.1)

    loop = asyncio.new_event_loop()
    with pool:
        waiting = [loop.create_task(pool.run(slow)) for _ in range(3)]
        loop.run_until_complete(asyncio.sleep(0.02))
    assert began == [1]
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    loop.close()


def test_the_bound_of_a_wait_doubles_up_to_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A jittered wait is anything from nothing to its bound, which doubles with each attempt."""
    drawn: list[tuple[float, float]] = []

    def draw(least: float, most: float) -> float:
        drawn.append((least, most))
        return most

    monkeypatch.setattr(random, "uniform", draw)
    assert [jittered(attempt, base=0.05, cap=1.0) for attempt in range(6)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]
    assert {least for least, _ in drawn} == {0}
