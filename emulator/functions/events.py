"""Asynchronous invocation: the queue in front of each function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

from emulator.contract import FunctionSpec, Invocation, Throttled
from emulator.functions.faults import Faults
from emulator.functions.options import LambdaOptions
from emulator.functions.records import Condition, FailedEvent


@dataclass(frozen=True, kw_only=True)
class Event:
    """One queued event."""

    spec: FunctionSpec
    request_id: str
    payload: bytes
    tenant_id: str | None


Run = Callable[[Event], Awaitable[Invocation]]
GiveUp = Callable[[FunctionSpec, FailedEvent], Awaitable[None]]


class EventQueue:
    """Delivers each event until it succeeded, its retries are used up, or it is too old."""

    def __init__(self, *, options: LambdaOptions, faults: Faults, run: Run, give_up: GiveUp) -> None:
        self._options = options
        self._faults = faults
        self._run = run
        self._give_up = give_up
        self._deliveries: set[asyncio.Task[None]] = set()

    def put(self, event: Event) -> None:
        """Queue an event; returns at once."""
        for delay_s in self._faults.deliveries(event.spec.name):
            delivery = asyncio.create_task(self._deliver(event, delay_s))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)

    @property
    def waiting(self) -> int:
        """Events not finished yet, running ones included."""
        return len(self._deliveries)

    async def stop(self) -> None:
        """Drop what is queued."""
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def _deliver(self, event: Event, delay_s: float) -> None:
        expires = time.monotonic() + event.spec.max_event_age_s
        await asyncio.sleep(delay_s)
        last: Invocation | None = None
        for attempt in count(1):
            last_before = last
            last = await self._attempt(event, expires)
            if last is None:
                return await self._fail(event, "EventAgeExceeded", attempt - 1, last_before)
            if last.function_error is None:
                return None
            if attempt > event.spec.max_retries:
                return await self._fail(event, "RetriesExhausted", attempt, last)
            waits = self._options.retry_waits_s
            await asyncio.sleep(waits[min(attempt, len(waits)) - 1])
            if time.monotonic() > expires:
                return await self._fail(event, "EventAgeExceeded", attempt, last)
        return None

    async def _attempt(self, event: Event, expires: float) -> Invocation | None:
        """Run once; a throttled event waits, longer each time. None when it grew too old meanwhile."""
        wait_s = self._options.throttle_wait_s
        while True:
            try:
                return await self._run(event)
            except Throttled:
                if time.monotonic() + wait_s > expires:
                    await asyncio.sleep(max(0.0, expires - time.monotonic()))
                    return None
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, self._options.throttle_wait_max_s)

    async def _fail(self, event: Event, condition: Condition, attempts: int, last: Invocation | None) -> None:
        await self._give_up(
            event.spec,
            FailedEvent(
                request_id=event.request_id,
                function_arn=self._options.arn(event.spec.name),
                condition=condition,
                invoke_count=attempts,
                payload=event.payload,
                last=last,
            ),
        )
