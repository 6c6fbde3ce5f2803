"""The queue of one socket: in order, bounded, and what becomes of frames that are not taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dayfly.delivery.socket_queue import QUEUE_BYTES, SocketQueue
from dayfly.errors import Gone, PostRefused, Unsettled
from tests.fakes.ports import MemoryPoster


class HeldPoster(MemoryPoster):
    """Posts only while `open` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.open.set()

    async def post(self, connection: str, frame: bytes) -> None:
        await self.open.wait()
        await super().post(connection, frame)


@pytest_asyncio.fixture
async def poster() -> HeldPoster:
    return HeldPoster()


@pytest_asyncio.fixture
async def queue(poster: HeldPoster) -> AsyncIterator[SocketQueue]:
    queue = SocketQueue("c", poster)
    yield queue
    await queue.close()


async def test_frames_are_posted_in_order(queue: SocketQueue, poster: HeldPoster) -> None:
    """One after the other, and `drained` returns when all are."""
    for number in range(20):
        queue.put(b"%d" % number, seq=number)
    await queue.drained()
    assert poster.frames["c"] == [b"%d" % number for number in range(20)]
    assert queue.last_seq == 19


@pytest.mark.parametrize(("over", "posted"), [(0, "fxyt"), (1, "fxt")])
async def test_the_queue_is_bounded_in_bytes(queue: SocketQueue, poster: HeldPoster, over: int, posted: str) -> None:
    """What does not fit is dropped, and counts as told: the client sees the gap. A frame that must fit always does."""
    poster.open.clear()
    queue.put(b"first")  # it is being posted, and waits no more
    await asyncio.sleep(0.1)
    queue.put(b"x" * (QUEUE_BYTES - 10), seq=2)
    queue.put(b"y" * (10 + over), seq=3)
    queue.put(b"the end", seq=4, must_fit=True)
    poster.open.set()
    await queue.drained()
    assert b"".join(frame[:1] for frame in poster.frames["c"]).decode() == posted
    assert queue.last_seq == 4


async def test_a_socket_that_is_gone_takes_nothing_more(queue: SocketQueue, poster: HeldPoster) -> None:
    """What waits is dropped, what comes is not queued, and nothing is left to be sent to it."""
    poster.gone.add("c")
    for number in range(3):
        queue.put(b"x", seq=number, must_fit=True)
    await queue.drained()
    poster.gone.clear()
    queue.put(b"late", seq=9)
    await queue.drained()
    assert queue.gone
    assert not queue.end_unsent
    assert (poster.frames["c"], queue.last_seq) == ([], 2)


@pytest.mark.parametrize(
    ("error", "must_fit", "unsent"),
    [
        (Unsettled("throttled"), True, True),
        (Unsettled("throttled"), False, False),
        (PostRefused("too large"), True, False),
        (RuntimeError("a bug"), True, True),
        (Gone("left"), True, False),
    ],
    ids=repr,
)
async def test_an_end_is_unsent_where_another_try_may_help(
    queue: SocketQueue, poster: HeldPoster, error: Exception, must_fit: bool, unsent: bool
) -> None:
    """So for a time-out or an error of our own, not for a socket that refuses or has left; nor for any other frame."""
    poster.refuse["c"] = error
    queue.put(b"the end", seq=2, must_fit=must_fit)
    await queue.drained()
    assert queue.end_unsent is unsent


async def test_a_frame_that_is_not_posted_does_not_stop_the_next(queue: SocketQueue, poster: HeldPoster) -> None:
    """The end that comes after it is posted, and then nothing is unsent."""
    poster.refuse["c"] = Unsettled("throttled")
    queue.put(b"the end", seq=2, must_fit=True)
    await queue.drained()
    poster.refuse.clear()
    queue.put(b"the end", seq=2, must_fit=True)
    await queue.drained()
    assert poster.frames["c"] == [b"the end"]
    assert not queue.end_unsent


async def test_a_closed_queue_posts_nothing(poster: HeldPoster) -> None:
    """What waited is dropped, whoever waits for it goes on, and no task is left."""
    tasks = asyncio.all_tasks()
    queue = SocketQueue("c", poster)
    poster.open.clear()
    queue.put(b"x")
    await asyncio.sleep(0.1)
    await queue.close()
    await asyncio.wait_for(queue.drained(), 1)
    poster.open.set()
    await asyncio.sleep(0.1)
    assert poster.frames["c"] == []
    assert asyncio.all_tasks() == tasks
