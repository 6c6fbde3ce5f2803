"""A message travels: authorizer, `$connect`, route, `@connections`, client, `$disconnect`."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import connect

from tests.emulator.gateway.harness import Event, allow, running


async def test_a_message_goes_to_its_route_and_a_post_of_boto3_comes_back() -> None:
    """The route's function posts to the connection id of its event, and the client receives exactly these bytes."""

    async def authorize(event: Event) -> object:
        return allow(event, user="alice", level=3, admin=True)

    routes = {"$connect": "connect", "$disconnect": "disconnect", "greet": "greet"}
    async with running(routes=routes, authorizer="authorizer", handlers={"authorizer": authorize}) as gateway:
        async with connect(gateway.ws + "?token=x") as socket:
            await socket.send('{"action": "greet", "name": "Zoë"}')
            (event,) = await gateway.functions.wait_for("greet")
            assert json.loads(event["body"]) == {"action": "greet", "name": "Zoë"}
            client = gateway.client()
            post = asyncio.to_thread(
                client.post_to_connection, ConnectionId=event["requestContext"]["connectionId"], Data=b"hello"
            )
            await post
            assert await asyncio.wait_for(socket.recv(), 5) == "hello"
            client.close()
        (event,) = await gateway.functions.wait_for("disconnect")
        assert (
            event["requestContext"]["authorizer"].items()
            >= {
                "principalId": "someone",
                "user": "alice",
                "level": "3",
                "admin": "true",
            }.items()
        )
