"""The built page at `/`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tests.emulator.gateway.harness import running


async def test_the_page_is_served_once_it_is_built(tmp_path: Path) -> None:
    """`/` says what is missing, then gives index.html; files beside it come with their type."""
    async with running(page=tmp_path / "dist") as gateway, aiohttp.ClientSession() as http:
        async with http.get(gateway.url + "/") as answer:
            assert (answer.status, "dist" in await answer.text()) == (404, True)
        await asyncio.to_thread((tmp_path / "dist").mkdir)
        await asyncio.to_thread((tmp_path / "dist" / "index.html").write_text, "<p>chat")
        await asyncio.to_thread((tmp_path / "dist" / "app.js").write_text, "1")
        async with http.get(gateway.url + "/") as answer:
            assert (answer.status, await answer.text()) == (200, "<p>chat")
        async with http.get(gateway.url + "/app.js") as answer:
            assert answer.content_type == "text/javascript"
        async with http.get(gateway.url + "/nothing") as answer:
            assert answer.status == 404
