"""An independent chat client: `websockets` and hand-written JSON. It knows the wire and nothing of either program."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]
TERMINAL = {"agent_completed", "agent_error", "agent_cancelled"}
WAIT_S = 30.0


def token_for(url: str, user: str) -> str:
    """A token of the development issuer."""
    with urllib.request.urlopen(f"{url}/token?user={user}", timeout=10) as answer:
        token: str = json.load(answer)["token"]
    return token


class Chat:
    """One open socket and all that came over it, in order of arrival."""

    def __init__(self, url: str, user: str) -> None:
        self.frames: list[Frame] = []
        self.close_code: int | None = None
        self._url = url
        self._user = user
        self._news = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = 0

    async def __aenter__(self) -> Self:
        token = await asyncio.to_thread(token_for, self._url, self._user)
        address = self._url.replace("http://", "ws://") + "/live"
        self._socket = await connect(address, subprotocols=["dayfly.v1", f"bearer.{token}"])  # type: ignore[list-item]
        assert self._socket.subprotocol == "dayfly.v1"
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        assert self._reader is not None
        await self._socket.close()
        await self._reader

    async def send_raw(self, data: str | bytes) -> None:
        """Sends a frame as it is."""
        assert self._socket is not None
        await self._socket.send(data)

    async def send(self, action: str, **fields: object) -> str:
        """Sends a request and returns its id."""
        self._ids += 1
        request = str(fields.pop("id", f"q{self._ids}"))
        await self.send_raw(json.dumps({"action": action, "id": request, **fields}))
        return request

    async def ask(self, action: str, **fields: object) -> Frame:
        """Sends a request and returns its reply, whatever it is."""
        request = await self.send(action, **fields)
        return await self.until(lambda frame: frame.get("id") == request)

    async def send_unescaped(self, text: str) -> Frame:
        """Asks with a `run` whose text is sent as raw UTF-8: half the bytes of escapes."""
        self._ids += 1
        request = f"q{self._ids}"
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
        """The run's terminal event."""
        return await self.until(lambda f: f.get("run_id") == run and f["type"] in TERMINAL, wait_s=wait_s)

    async def follow(self, run: str, thread: str, *, held: int) -> list[Frame]:
        """The run's events after the seq `held`, to its end, by the protocol's rule: whenever a later event or a
        heartbeat shows a gap, attach again with the cursor."""
        while True:
            contiguous = held + self._contiguous(run, held)
            mark = len(self.frames)
            ahead = [f for f in self.frames if f.get("run_id") == run and _reaches(f) > contiguous]
            if ahead:
                attached = await self.ask("attach", thread_id=thread, after={run: contiguous})
                assert attached["type"] == "attached", attached
            elif contiguous > held and self.events(run)[-1]["type"] in TERMINAL:
                return [event for event in self.events(run) if event["seq"] > held]
            else:
                await self.until(lambda f: f.get("run_id") == run, after=mark)

    def _contiguous(self, run: str, held: int) -> int:
        seqs = {event["seq"] for event in self.events(run)}
        count = 0
        while held + count + 1 in seqs:
            count += 1
        return count

    def events(self, run: str) -> list[Frame]:
        """The run's logged events as they came, without doubles, in order of seq."""
        seen = {frame["seq"]: frame for frame in self.frames if frame.get("run_id") == run and "seq" in frame}
        return [seen[seq] for seq in sorted(seen)]

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                async with self._news:
                    self.frames.append(json.loads(data))
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        async with self._news:
            self.close_code = socket.close_code if socket.close_code is not None else 1006
            self._news.notify_all()


def types(events: list[Frame]) -> list[str]:
    """The types of events, runs of deltas as one."""
    kinds: list[str] = []
    for event in events:
        if not (event["type"] == "agent_delta" and kinds and kinds[-1] == "agent_delta"):
            kinds.append(event["type"])
    return kinds


def text_of(events: list[Frame]) -> str:
    """What was streamed."""
    return "".join(event["payload"]["text"] for event in events if event["type"] == "agent_delta")


def _reaches(frame: Frame) -> int:
    """The seq that an event has, or that a heartbeat tells of."""
    reached: int = frame["seq"] if "seq" in frame else frame.get("last_seq", 0)
    return reached
