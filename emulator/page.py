"""The built chat page at `/`."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

_NOT_BUILT = """<!doctype html><title>Not built</title>
<p>There is no page in <code>{directory}</code> yet. Build it, then reload; the WebSocket works without it."""


class Page:
    """Serves a folder of static files, and says so while it does not exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: ASGIApp = StaticFiles(directory=directory, html=True, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        if not (self._directory / "index.html").is_file():
            answer = HTMLResponse(_NOT_BUILT.format(directory=self._directory), status_code=404)
            await answer(scope, receive, send)
            return
        await self._files(scope, receive, send)
