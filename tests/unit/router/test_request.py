"""What a request's answer becomes."""

import pytest

from dayfly.delivery.background import BackgroundTasks
from dayfly.errors import PostRefused, Unsettled
from dayfly.router.request import Request
from tests.fakes.sockets import Sockets
from tests.fakes.world import World, caller


def request_of(world: World, replies: Sockets) -> Request:
    return Request(caller=caller(), ports=world.ports, replies=replies, background=BackgroundTasks())


async def test_a_reply_that_was_taken(world: World) -> None:
    """It is with the caller, and so it is said."""
    assert await request_of(world, world.sockets).reply(b"{}")
    assert world.sockets.frames["a1"] == [b"{}"]


@pytest.mark.parametrize("error", [Unsettled("throttled"), PostRefused("forbidden")], ids=type)
async def test_a_reply_that_was_not_taken(world: World, error: Exception) -> None:
    """Whatever kept it from the caller is no failure of the request, and it is said."""
    world.sockets.refuse["a1"] = error
    assert not await request_of(world, world.sockets).reply(b"{}")


async def test_a_reply_to_a_caller_that_left(world: World) -> None:
    """Likewise."""
    world.sockets.gone.add("a1")
    assert not await request_of(world, world.sockets).reply(b"{}")


async def test_replies_have_a_way_of_their_own(world: World) -> None:
    """What is posted to all who watch goes by the other."""
    replies = Sockets()
    assert await request_of(world, replies).reply(b"{}")
    assert (replies.frames["a1"], world.sockets.frames["a1"]) == ([b"{}"], [])
