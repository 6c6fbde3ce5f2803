"""Who acts: one Lambda invocation each, which may die or be paused between any two of its steps."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TypeVar

from tests.simulation.loop import OWNER, Owner, SimLoop
from tests.simulation.weather import Kind

T = TypeVar("T")

START_MS = 1_764_000_000_000


class Actor(Owner):
    """One invocation: its name (which is also its request id), its own wall clock, and how it fared."""

    __slots__ = (
        "action",
        "born",
        "cut_off",
        "error",
        "faults",
        "finished",
        "granted_s",
        "haunts",
        "kind",
        "loop",
        "name",
        "nonces",
        "on_end",
        "paused_s",
        "skew_ms",
        "stepped",
        "subject",
        "timeout",
    )

    def __init__(self, loop: SimLoop, name: str, kind: Kind, *, skew_ms: int, subject: str) -> None:
        super().__init__()
        self.loop = loop
        self.name = name
        self.kind = kind
        self.skew_ms = skew_ms
        self.stepped = False
        """Its wall clock has jumped."""
        self.subject = subject
        """The run or connection that it is about."""
        self.action = ""
        """A router's frame."""
        self.cut_off = False
        """A service did not answer it for some time."""
        self.haunts = False
        """What it sent may still happen after it is gone."""
        self.born = loop.now
        self.faults = 0
        """Faults that it met: a checker is strict only with who met none."""
        self.paused_s = self.granted_s = 0.0
        self.finished = False
        self.error: BaseException | None = None
        self.timeout = False
        self.on_end: Callable[[Actor], None] | None = None

    def __repr__(self) -> str:
        return self.name

    @property
    def over(self) -> bool:
        """It has returned, raised or died."""
        return self.finished or not self.alive

    @property
    def clean(self) -> bool:
        """It returned, and met no fault."""
        return self.finished and self.error is None and not self.faults

    def start(self, work: Awaitable[None], on_end: "Callable[[Actor], None]") -> None:
        """Runs the work as this actor; `on_end` is told once, however it ends."""
        self.on_end = on_end
        context = Context()
        context.run(OWNER.set, self)
        self.loop.create_task(self._live(work), context=context)

    async def _live(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  whatever an invocation raises, Lambda takes it
            self.error = error
        if self.alive:
            self.finished = True
            self._end()

    @property
    def leftovers(self) -> list[str]:
        """What still waits, apart from the invocation itself: nothing may outlive a handler."""
        return [str(task.get_coro()).split()[2] for task in self.tasks[1:] if not task.done()]

    def die(self, *, timeout: bool = False) -> None:
        """It is gone, at once; nothing of it runs on."""
        if self.over:
            return
        self.alive = False
        self.faults += 1
        self.timeout = timeout
        self.stash = []
        self._end()

    def pause(self, seconds: float) -> None:
        """It stands still for so long, and then goes on as if nothing had been."""
        if self.over or self.stopped:
            return
        self.stopped = True
        self.faults += 1
        self.paused_s += seconds
        self.loop.call_later(seconds, self.loop.thaw, self, context=Context())

    def _end(self) -> None:
        if self.on_end is not None:
            self.on_end(self)

    # The clock of the port.

    def now_ms(self) -> int:
        """Its own wall clock."""
        return START_MS + round(self.loop.now * 1000) + self.skew_ms

    def step(self, by_ms: int) -> None:
        """Its wall clock jumps."""
        self.skew_ms += by_ms
        self.stepped = True

    def monotonic(self) -> float:
        """The one monotonic clock."""
        return self.loop.now

    @property
    def unseen(self) -> list[str]:
        """Its tasks whose failure nobody has looked at."""
        done = (task for task in self.tasks if task.done() and not task.cancelled())
        return [str(task.get_coro()).split()[2] for task in done if task._log_traceback]


def forever() -> "asyncio.Future[None]":
    """What a dead actor waits for."""
    return asyncio.get_running_loop().create_future()
