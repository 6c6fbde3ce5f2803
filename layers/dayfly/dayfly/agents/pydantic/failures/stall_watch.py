"""Ends a request to the model in which nothing comes any more."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Final

FIRST_EVENT_S: Final = 120.0
"""Seconds in which a response has to begin. Models that reason unseen take their time."""
SILENCE_S: Final = 120.0
"""Seconds between two events of a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StallLimits:
    """How long a model may be silent, in seconds: before the first event of a response, and between two of them."""

    first_event_s: float = FIRST_EVENT_S
    silence_s: float = SILENCE_S


class StallWatch:
    """Watches one request: `async with watch: ...` around it raises `TimeoutError` where the model is silent for too
    long. Only what the model says counts: comments that keep a connection alive are silence.

    Time runs from `asked` on, and from each `heard` on; while the engine is waited for, it is stopped by `pause`.
    """

    def __init__(self, limits: StallLimits) -> None:
        self._limits = limits
        self._timer = asyncio.timeout(None)

    async def __aenter__(self) -> "StallWatch":
        await self._timer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timer.__aexit__(kind, error, trace)

    def asked(self) -> None:
        """The request is about to be made."""
        self._reschedule(self._limits.first_event_s)

    def heard(self) -> None:
        """Something has come, and the next is waited for."""
        self._reschedule(self._limits.silence_s)

    def pause(self) -> None:
        """It is not the model that is waited for."""
        if not self._timer.expired():
            self._timer.reschedule(None)

    def _reschedule(self, seconds: float) -> None:
        if not self._timer.expired():
            self._timer.reschedule(asyncio.get_running_loop().time() + seconds)
