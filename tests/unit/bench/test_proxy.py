"""The counting proxy, over real HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from bench.proxy import Proxy


async def _answer(request: web.Request) -> web.Response:
    return web.Response(body=b"got " + await request.read(), headers={"X-Path": request.raw_path})


@pytest.fixture
async def target() -> AsyncIterator[str]:
    """A server that answers with what it was sent."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_calls_pass_through_and_are_told_by_function_and_api(target: str) -> None:
    """A request reaches the address in its request line, unchanged; both ways are counted under the port's function."""
    connection = URL(f"{target}/live/@connections/a%3D", encoded=True)
    async with Proxy(("router", "engine")) as proxy, ClientSession() as client:
        headers = {"X-Amz-Target": "DynamoDB_20120810.GetItem"}
        await client.post(f"{target}/", data=b"{}", headers=headers, proxy=proxy.urls["router"])
        answer = await client.post(connection, data=b"hi", proxy=proxy.urls["engine"])
        assert await answer.read() == b"got hi"
        assert answer.headers["X-Path"] == "/live/@connections/a%3D"
    assert [(one.function, one.api) for one in proxy.calls] == [("router", "GetItem"), ("engine", "PostToConnection")]
    assert proxy.calls[1].request == b"hi"
    assert proxy.calls[1].sent > len(b"hi")
    assert proxy.calls[1].received > len(b"got hi")
