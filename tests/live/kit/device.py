"""A device: a client of the chat that keeps the protocol's rules, whatever happens to its sockets."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed

from tests.live.kit.chat import NotOpened, dial
from tests.live.kit.client import FRAME_BYTES, Client, Frame
from tests.live.kit.ledger import Ledger
from tests.live.kit.reducer import RunView, ThreadView

TICK_S = 0.1
GAP_S = 0.25
SILENCE_S = 15.0
UNANSWERED_S = 10.0
LONGEST_PAUSE_S = 5.0


class NoAnswer(Exception):
    """Something did not come in time."""


@dataclass
class _Asked:
    """A request that has no answer yet. `due` is when to send it (again)."""

    text: str
    answer: asyncio.Future[Frame]
    final: frozenset[str]
    due: float = 0.0
    pause: float = 0.3
    sent: int = 0


@dataclass
class _Following:
    """A thread that the device is attached to, or will be when it has a socket."""

    asking: str | None = None
    asked_at: float = 0.0
    due: float | None = None
    pause: float = GAP_S
    held_before: int = -1
    looked_at: float = 0.0


class Device:
    """One device of a user. It stays connected until it is closed, sends again what has no answer, and attaches again
    wherever it missed something."""

    def __init__(
        self,
        url: str,
        user: str,
        name: str,
        ledger: Ledger,
        rng: random.Random,
        *,
        overhear: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.threads: dict[str, ThreadView] = {}
        self.changes: list[Frame] = []
        """Every `thread_changed`, in order of arrival."""
        self._url, self._user, self._ledger, self._rng = url, user, ledger, rng
        self._overhear = overhear
        self._link: Client | None = None
        self._asked: dict[str, _Asked] = {}
        self._following: dict[str, _Following] = {}
        self._news = asyncio.Condition()
        self._ids = 0
        self._away_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._live()), asyncio.create_task(self._mind())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._link is not None:
            await self._link.socket.close()
        for result in ended:
            if isinstance(result, Exception):
                raise result

    # What a person does with it

    async def request(
        self,
        action: str,
        fields: Mapping[str, object],
        *,
        request_id: str | None = None,
        final: frozenset[str] = frozenset(),
        wait_s: float = 120,
    ) -> Frame:
        """Sends a request, as often as it takes, and returns its reply. A retryable error is answered by the same frame
        again, but for the codes in `final`. Raises `NoAnswer`."""
        request_id = request_id or self.next_id()
        text = json.dumps({"action": action, "id": request_id, **fields}, ensure_ascii=False)
        asked = _Asked(text, asyncio.get_running_loop().create_future(), final)
        self._asked[request_id] = asked
        await self._flush()
        try:
            return await asyncio.wait_for(asked.answer, wait_s)
        except TimeoutError as error:
            raise NoAnswer(f"{self.name}: no answer to {text[:200]}") from error
        finally:
            self._asked.pop(request_id, None)

    def next_id(self) -> str:
        """A request id that no other device of the user uses."""
        self._ids += 1
        return f"{self.name}-{self._ids}"

    def follow(self, thread_id: str, *, runs: tuple[str, ...] = ()) -> None:
        """Watches a thread from these runs' first events on; without any, from the run under way on."""
        view = self.threads.setdefault(thread_id, ThreadView(thread_id))
        for run in runs:
            view.run(run)
        self._following.setdefault(thread_id, _Following()).due = 0.0

    def leave(self, thread_id: str) -> None:
        """Follows a forgotten thread no more."""
        self._following.pop(thread_id, None)
        if thread_id in self.threads:
            self.threads[thread_id].forgotten = True

    async def until(self, wanted: Callable[[], bool], *, wait_s: float, what: str) -> None:
        """Returns when it is so. Raises `NoAnswer`."""
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: self._broken() or wanted()), wait_s)
            except TimeoutError as error:
                raise NoAnswer(f"{self.name}: {what} did not come in {wait_s:.0f} s") from error

    async def end_of(self, run_id: str, *, wait_s: float) -> Frame:
        """The terminal event, when the run is held whole. Raises `NoAnswer`."""
        await self.until(lambda: self._end(run_id) is not None, wait_s=wait_s, what=f"the end of {run_id}")
        end = self._end(run_id)
        assert end is not None
        return end

    def run(self, run_id: str) -> RunView | None:
        """The run as seen so far."""
        return next((view.runs[run_id] for view in self.threads.values() if run_id in view.runs), None)

    def cut(self, away_s: float) -> None:
        """Loses the socket without a word, and comes back after so long."""
        self._away_s = away_s
        if self._link is not None:
            self._link.cut()

    async def part(self, away_s: float) -> None:
        """Closes the socket in order, and comes back after so long."""
        self._away_s = away_s
        if self._link is not None:
            await self._link.socket.close()

    def _broken(self) -> bool:
        """Raises what ended the device's own work, if anything has."""
        for task in self._tasks:
            if task.done():
                task.result()
        return False

    @property
    def connected(self) -> bool:
        """Whether a socket is open."""
        return self._link is not None

    # Sockets

    async def _live(self) -> None:
        pause = 0.2
        while True:
            try:
                link = await dial(self._url, self._user, ping_interval=None, compression=None, close_timeout=5)
            except NotOpened:
                self._ledger.counts["handshakes failed"] += 1
                await asyncio.sleep(pause * self._rng.uniform(0.5, 1.5))
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            pause = 0.2
            await self._opened(link)
            async for frame, size in link.frames():
                if size > FRAME_BYTES:
                    self._ledger.violate(f"{self.name}: a frame of {size} bytes")
                self._overhear(str(frame.get("type")))
                async with self._news:
                    self._take(frame)
                    self._news.notify_all()
            self._link = None
            self._ledger.counts["sockets lost"] += 1
            await asyncio.sleep(self._away_s or self._rng.uniform(0.05, 0.4))
            self._away_s = 0.0

    async def _opened(self, link: Client) -> None:
        self._link = link
        for following in self._following.values():
            following.asking, following.due, following.pause = None, 0.0, GAP_S
        for asked in self._asked.values():
            asked.due = 0.0
        await self._flush()

    # Timers

    async def _mind(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            for thread_id, following in self._following.items():
                self._watch(self.threads[thread_id], following, now)
            await self._flush()

    def _watch(self, view: ThreadView, following: _Following, now: float) -> None:
        if following.asking is not None:
            if now - following.asked_at > UNANSWERED_S:
                following.asking, following.due = None, now
            return
        if following.due is not None:
            return
        if any(not run.whole for run in view.runs.values()):
            following.due = now + following.pause
        elif now - following.looked_at > SILENCE_S and view.silent(now, SILENCE_S):
            self._ledger.counts["attached after silence"] += 1
            following.due = now

    async def _flush(self) -> None:
        """Sends what is due, where there is a socket."""
        now = time.monotonic()
        for asked in list(self._asked.values()):
            if self._link is not None and asked.due <= now:
                asked.sent += 1
                self._ledger.counts["requests sent again"] += asked.sent > 1
                asked.due = now + UNANSWERED_S
                await _say(self._link, asked.text)
        for thread_id, following in list(self._following.items()):
            if self._link is not None and following.due is not None and following.due <= now:
                await self._attach(self._link, self.threads[thread_id], following)

    async def _attach(self, link: Client, view: ThreadView, following: _Following) -> None:
        request_id = self.next_id()
        following.asking, following.asked_at, following.due = request_id, time.monotonic(), None
        following.looked_at = following.asked_at
        self._ledger.counts["attaches"] += 1
        frame = {"action": "attach", "id": request_id, "thread_id": view.thread_id, "after": view.cursors()}
        await _say(link, json.dumps(frame))

    # Frames

    def _take(self, frame: Frame) -> None:
        now = time.monotonic()
        match frame.get("type"):
            case None:
                # The gateway's own error names no request: any that has no answer may be meant.
                self._ledger.counts["errors of the gateway"] += 1
                for asked in self._asked.values():
                    asked.due = min(asked.due, now + self._rng.uniform(0.3, 1.0)) if asked.due else 0.0
            case "agent_heartbeat":
                self._view(frame).hear_of(frame["last_seq"], now)
            case "thread_changed":
                self._changed(frame)
            case _ if "seq" in frame:
                if not self._view(frame).take(frame, now):
                    self._ledger.counts["doubles dropped"] += 1
            case "attached":
                self._attached(frame, now)
            case "error" if "id" not in frame:
                self._ledger.violate(f"{self.name}: an error without id: {frame}")
            case _ if "id" in frame:
                self._reply(frame, now)

    def _view(self, frame: Frame) -> RunView:
        thread = self.threads.setdefault(frame["thread_id"], ThreadView(frame["thread_id"]))
        return thread.run(frame["run_id"])

    def _changed(self, frame: Frame) -> None:
        self.changes.append(frame["thread"])
        view = self.threads.get(frame["thread"]["thread_id"])
        if view is None:
            return
        if frame["thread"].get("state") == "forgotten":
            self.leave(view.thread_id)
        for run_id in frame["thread"].get("queue", ()):
            view.run(run_id).told = "queued"
        active = frame["thread"].get("active_run")
        if active in view.runs and view.runs[active].told == "queued":
            view.runs[active].told = "running"

    def _attached(self, frame: Frame, now: float) -> None:
        following = self._following.get(frame["thread_id"])
        if following is None or following.asking != frame["id"]:
            return
        following.asking = None
        view = self.threads[frame["thread_id"]]
        for told in frame["runs"]:
            run = view.run(told["run_id"])
            run.told = told["status"]
            run.hear_of(told["seq"], now)
        held = sum(run.held for run in view.runs.values())
        if frame["more"]:
            following.due = now
        elif all(run.whole for run in view.runs.values()):
            following.pause = GAP_S
        elif held == following.held_before:
            following.pause = min(following.pause * 2, LONGEST_PAUSE_S)
        following.held_before = held

    def _reply(self, frame: Frame, now: float) -> None:
        for thread_id, following in self._following.items():
            if following.asking == frame["id"] and frame["type"] == "error":
                following.asking, following.due = None, now + following.pause
                following.pause = min(following.pause * 2, LONGEST_PAUSE_S)
                self._refused(thread_id, frame)
                return
        if frame["type"] == "accepted":
            self._accepted(frame, now)
        asked = self._asked.get(frame["id"])
        if asked is None or asked.answer.done():
            return
        if frame["type"] == "error":
            self._ledger.counts[f"error {frame['code']}"] += 1
            if frame["retryable"] and frame["code"] not in asked.final:
                asked.due = now + asked.pause * self._rng.uniform(0.5, 1.5)
                asked.pause = min(asked.pause * 2, LONGEST_PAUSE_S)
                return
        asked.answer.set_result(frame)

    def _refused(self, thread_id: str, frame: Frame) -> None:
        self._ledger.counts[f"error {frame['code']}"] += 1
        if frame["code"] == "thread_not_found":
            self.leave(thread_id)
        elif not frame["retryable"]:
            self._ledger.violate(f"{self.name}: attach to {thread_id} was answered with {frame}")

    def _accepted(self, frame: Frame, now: float) -> None:
        run = self._view(frame)
        run.told = frame["status"]
        run.hear_of(1, now)
        following = self._following.setdefault(frame["thread_id"], _Following())
        if frame["duplicate"]:
            following.due = now

    def _end(self, run_id: str) -> Frame | None:
        run = self.run(run_id)
        return run.end if run is not None else None


async def _say(link: Client, text: str) -> None:
    """What can't be sent any more is sent over the next socket, when it is due."""
    with suppress(ConnectionClosed):
        await link.send_raw(text)
