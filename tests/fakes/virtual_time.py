"""An event loop whose time jumps to the next timer as soon as nothing else is left to do."""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

START_MS = 1_764_000_000_000


class Stalled(RuntimeError):
    """Everything waits for something that nothing will bring about: a deadlock, since this loop has no I/O."""


class _JumpingSelector(selectors.BaseSelector):
    """Looks for what is ready, and where nothing is, moves the time on instead of waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A loop always watches its own wake-up socket, which only threads and signals use; to ask about it costs time.
        ready = self._real.select(0) if len(self._real.get_map()) > 1 else []
        if not ready and timeout is None:
            raise Stalled("no task can go on and no timer is set")
        if not ready and timeout:
            self.now += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Not for threads: what a thread does takes no virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class LoopClock:
    """Both clocks of the port, on the running loop's time."""

    def now_ms(self) -> int:
        return START_MS + round(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
