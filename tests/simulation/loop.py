"""An event loop in virtual time that knows whose every step is, so that an actor can be stopped between two of them."""

import asyncio
import contextvars
import heapq
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEPS: Final = 400_000
"""Steps of one schedule after which it counts as caught in a circle."""


class Caught(RuntimeError):
    """The schedule makes steps without end, or none at all."""


class Owner:
    """Who a step belongs to. A stopped owner's steps wait, or are dropped if it is dead; nothing of it runs on: no
    `finally`, no handler of a cancellation, as in a process that was killed."""

    __slots__ = ("alive", "stash", "stopped", "tasks")

    def __init__(self) -> None:
        self.alive = True
        self.tasks: list[asyncio.Task[Any]] = []
        self.stopped = False
        self.stash: list[Step] = []


OWNER: ContextVar[Owner | None] = ContextVar("OWNER", default=None)


class Step(asyncio.TimerHandle):
    """One callback, with the context that tells its owner."""

    __slots__ = ("args", "callback", "cancelled_", "context", "number", "when_")

    def __init__(  # nothing of the base is wanted but its type
        self, when: float, number: int, callback: Callable[..., object], args: tuple[Any, ...], context: Context
    ) -> None:
        self.when_ = when
        self.number = number
        self.callback = callback
        self.args = args
        self.context = context
        self.cancelled_ = False

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"<step {self.number} at {self.when_:.3f}>"

    def cancel(self) -> None:
        self.cancelled_ = True

    def cancelled(self) -> bool:
        return self.cancelled_

    def when(self) -> float:
        return self.when_


class SimLoop(asyncio.BaseEventLoop):
    """Takes the steps that are ready in their order, then jumps to the next timer. No outside, no threads, and nothing
    that asyncio's own loop does for them; that makes it several times as fast."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self._soon: deque[Step] = deque()
        self._timers: list[tuple[float, int, Step]] = []
        self._numbers = 0

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> Any:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        owner = OWNER.get() if context is None else context.get(OWNER)
        if owner is not None:
            owner.tasks.append(task)
        return task

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Step:
        step = Step(0.0, 0, callback, args, contextvars.copy_context() if context is None else context)
        self._soon.append(step)
        return step

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Step:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Step:
        self._numbers += 1
        step = Step(when, self._numbers, callback, args, contextvars.copy_context() if context is None else context)
        heapq.heappush(self._timers, (when, self._numbers, step))
        return step

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Unseen failures of what was stopped on purpose are no news."""

    def thaw(self, owner: Owner) -> None:
        """Lets a stopped owner go on where it stood."""
        owner.stopped = False
        self._soon.extend(owner.stash)
        owner.stash = []

    def play(self, coro: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine to its end. Raises `Caught` where it never comes."""
        running = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            main: asyncio.Task[T] = asyncio.Task(coro, loop=self)
            self._play(main)
            return main.result()
        finally:
            asyncio._set_running_loop(running)

    def _play(self, main: "asyncio.Task[T]") -> None:
        soon, timers = self._soon, self._timers
        while not main.done():
            if soon:
                step = soon.popleft()
            elif timers:
                when, _, step = heapq.heappop(timers)
                if step.cancelled_:
                    continue
                self.now = max(self.now, when)
            else:
                raise Caught("no task can go on and no timer is set")
            if step.cancelled_:
                continue
            owner = step.context.get(OWNER)
            if owner is not None and (owner.stopped or not owner.alive):
                if owner.alive:
                    owner.stash.append(step)
                continue
            self.steps += 1
            if self.steps > STEPS:
                raise Caught(f"more than {STEPS} steps by {self.now:.1f} s")
            step.context.run(step.callback, *step.args)

    def raze(self) -> None:
        """Ends all that was never to go on, so that nothing of this schedule is left for a later one. What its
        `finally` blocks begin goes nowhere: no step is taken any more."""
        running, hook = asyncio._get_running_loop(), sys.unraisablehook
        asyncio._set_running_loop(self)
        sys.unraisablehook = _unheard
        try:
            for task in self.tasks:
                if not task.done():
                    _close(task)
        finally:
            sys.unraisablehook = hook
            asyncio._set_running_loop(running)
            self.tasks.clear()
            self._soon.clear()
            self._timers.clear()
            self._closed = True


def _unheard(unraisable: "sys.UnraisableHookArgs") -> None:
    """A coroutine that waits once more while it is closed is closed all the same."""


def _close(task: "asyncio.Task[Any]") -> None:
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own way to say so
    coro: Any = task.get_coro()
    for _ in range(20):
        try:
            coro.close()
        except (RuntimeError, asyncio.CancelledError):
            continue  # "coroutine ignored GeneratorExit": it waits for something once more
        except Exception:  # noqa: BLE001  a dead process raises nothing
            return
        return
