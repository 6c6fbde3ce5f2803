"""What `/` serves: the application's own static files, or a few lines that name the sockets."""

from collections.abc import Iterable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
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


def page_routes(directory: Path | None, *, websockets: Iterable[str]) -> list[BaseRoute]:
    """What answers at `/` and below it.

    Args:
        directory: Static files, `index.html` among them; None for a status page at `/` alone.
        websockets: The addresses of the application's stages, which the status page names.
    """
    if directory is not None:
        return [Mount("/", Page(directory))]
    sockets = "".join(f"{address}\n" for address in websockets) or "none\n"
    text = f"The emulator is running. WebSockets:\n\n{sockets}\n--page DIR serves a folder of static files here.\n"

    async def status(_: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    return [Route("/", status)]
