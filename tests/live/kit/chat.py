"""A client of the chat that sees every frame of one socket: what the protocol says, and nothing of either program."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from tests.live.kit.client import WAIT_S, Client, Frame, stage
from tests.live.kit.reducer import TERMINAL, RunView

STAGE: Final = "live"
SUBPROTOCOL: Final = "dayfly.v1"


class NotOpened(Exception):
    """The handshake failed, or no token was to be had."""


def token_for(url: str, user: str) -> str:
    """A token of the development issuer. Raises `NotOpened`."""
    try:
        with urllib.request.urlopen(f"{url}/token?user={user}", timeout=10) as answer:
            token: str = json.load(answer)["token"]
    except OSError as error:
        raise NotOpened(str(error)) from error
    return token


async def dial(url: str, user: str, *, token: str | None = None, **options: object) -> Client:
    """A socket of the chat for a user of the development issuer, or for the user of another issuer's token. `options`
    are those of `websockets`.

    Raises:
        NotOpened: there is no token, or the handshake failed.
    """
    token = token or await asyncio.to_thread(token_for, url, user)
    try:
        socket = await connect(
            stage(url, STAGE),
            subprotocols=[SUBPROTOCOL, f"bearer.{token}"],  # type: ignore[list-item]  # a NewType of str
            **{"open_timeout": WAIT_S, **options},  # type: ignore[arg-type]
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise NotOpened(str(error)) from error
    assert socket.subprotocol == SUBPROTOCOL
    return Client(socket)


class Chat:
    """One open socket, all that came over it in order of arrival, and what the reducer makes of it."""

    def __init__(self, url: str, user: str, *, token: str | None = None) -> None:
        self.frames: list[Frame] = []
        self.close_code: int | None = None
        self._url = url
        self._user = user
        self._token = token
        self._runs: dict[str, RunView] = {}
        self._news = asyncio.Condition()
        self._client: Client | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = 0

    async def __aenter__(self) -> Self:
        self._client = await dial(self._url, self._user, token=self._token)
        self._reader = asyncio.create_task(self._read(self._client))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client is not None
        assert self._reader is not None
        await self._client.socket.close()
        await self._reader

    async def send_raw(self, data: str | bytes) -> None:
        """Sends a frame as it is."""
        assert self._client is not None
        await self._client.send_raw(data)

    async def send(self, action: str, **fields: object) -> str:
        """Sends a request and returns its id."""
        request = str(fields.pop("id", None) or self._next_id())
        await self.send_raw(json.dumps({"action": action, "id": request, **fields}))
        return request

    async def ask(self, action: str, **fields: object) -> Frame:
        """Sends a request and returns its reply, whatever it is. An id that was used before gets its new reply."""
        mark = len(self.frames)
        request = await self.send(action, **fields)
        return await self.until(lambda frame: frame.get("id") == request, after=mark)

    async def send_unescaped(self, text: str) -> Frame:
        """Asks with a `run` whose text is sent as raw UTF-8: half the bytes of escapes."""
        request = self._next_id()
        await self.send_raw(json.dumps({"action": "run", "id": request, "text": text}, ensure_ascii=False))
        return await self.until(lambda frame: frame.get("id") == request)

    async def until(self, wanted: Callable[[Frame], bool], *, after: int = 0, wait_s: float = WAIT_S) -> Frame:
        """The first frame that is wanted, from `after` on, now or as soon as it comes."""

        def there() -> Frame | None:
            return next((frame for frame in self.frames[after:] if wanted(frame)), None)

        async with self._news:
            try:
                await asyncio.wait_for(
                    self._news.wait_for(lambda: there() is not None or self.close_code is not None), wait_s
                )
            except TimeoutError:
                raise AssertionError(f"it did not come; came: {self.frames}") from None
        found = there()
        assert found is not None, f"closed with {self.close_code} before it came; came: {self.frames}"
        return found

    async def closed(self, *, wait_s: float = WAIT_S) -> int:
        """The close code, when the socket is closed."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self.close_code is not None), wait_s)
        assert self.close_code is not None
        return self.close_code

    async def end_of(self, run: str, *, wait_s: float = WAIT_S) -> Frame:
        """The run's terminal event, whether or not all before it came."""
        return await self.until(lambda f: f.get("run_id") == run and f["type"] in TERMINAL, wait_s=wait_s)

    async def follow(self, run: str, thread: str, *, held: int = 0) -> list[Frame]:
        """The run's events after the seq `held`, to its end, by the protocol's rule: whenever a later event or a
        heartbeat shows a gap, attach again with the cursor."""
        view = self._runs.setdefault(run, RunView(run, thread))
        view.hold(held)
        while view.end is None:
            mark = len(self.frames)
            if view.whole:
                await self.until(lambda f: f.get("run_id") == run, after=mark)
            else:
                attached = await self.ask("attach", thread_id=thread, after={run: view.held})
                assert attached["type"] == "attached", attached
        assert view.rewritten == []
        return [event for event in view.ordered() if event["seq"] > held]

    def events(self, run: str) -> list[Frame]:
        """The run's logged events as they came, without doubles, in order of seq."""
        return self._runs[run].seen() if run in self._runs else []

    def _next_id(self) -> str:
        self._ids += 1
        return f"q{self._ids}"

    async def _read(self, client: Client) -> None:
        async for frame, _ in client.frames():
            async with self._news:
                self.frames.append(frame)
                self._reduce(frame)
                self._news.notify_all()
        async with self._news:
            code = client.socket.close_code
            self.close_code = 1006 if code is None else code
            self._news.notify_all()

    def _reduce(self, frame: Frame) -> None:
        if "run_id" not in frame or "thread_id" not in frame:
            return
        view = self._runs.setdefault(frame["run_id"], RunView(frame["run_id"], frame["thread_id"]))
        if "seq" in frame:
            view.take(frame, 0.0)
        elif "last_seq" in frame:
            view.hear_of(frame["last_seq"], 0.0)
