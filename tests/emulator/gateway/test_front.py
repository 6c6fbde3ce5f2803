"""Which request goes where."""

from __future__ import annotations

import aiohttp
import pytest

from tests.emulator.gateway.harness import running


@pytest.mark.parametrize(
    ("path", "status"),
    [("/_emulator/health", 200), ("/live", 426), ("/live/", 426), ("/live/@connections", 403), ("/elsewhere", 404)],
)
async def test_reserved_paths_win(path: str, status: int) -> None:
    """Health answers, a plain request to the stage asks for an upgrade, the rest is the page's."""
    async with running() as gateway, aiohttp.ClientSession() as http, http.get(gateway.url + path) as answer:
        assert answer.status == status


async def test_health_is_503_until_ready() -> None:
    """A gateway that serves and is not ready says so."""
    async with (
        running(ready=False) as gateway,
        aiohttp.ClientSession() as http,
        http.get(gateway.url + "/_emulator/health") as answer,
    ):
        assert (answer.status, await answer.json()) == (503, {"status": "starting"})


@pytest.mark.parametrize("path", ["/@connections/AAAAAAAAAAAAAAA=", "/live//@connections/x", "/a/b/@connections/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_connections_below_no_stage_are_forbidden(path: str, method: str) -> None:
    """403 in the form that SDKs read, as for a stage that does not exist."""
    async with (
        running() as gateway,
        aiohttp.ClientSession() as http,
        http.request(method, gateway.url + path, headers={"Authorization": "AWS4-HMAC-SHA256 x"}) as answer,
    ):
        assert (answer.status, await answer.json()) == (403, {"message": "Forbidden"})
        assert answer.headers["x-amzn-ErrorType"] == "ForbiddenException"
