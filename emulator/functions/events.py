"""Asynchronous invocation: the queue in front of each function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

from emulator.contract import FunctionSpec, Invocation, Throttled
from emulator.functions.destinations import Condition, EventRecord
from emulator.functions.faults import Faults
from emulator.functions.options import LambdaOptions


@dataclass(frozen=True, kw_only=True)
class Event:
    """One queued event."""

    spec: FunctionSpec
    request_id: str
    payload: bytes
    tenant_id: str | None


Run = Callable[[Event], Awaitable[Invocation]]
Conclude = Callable[[FunctionSpec, EventRecord], Awaitable[None]]


class EventQueue:
    """Delivers each event until it succeeded, its retries are used up, or it is too old; then `conclude` gets it."""

    def __init__(self, *, options: LambdaOptions, faults: Faults, run: Run, conclude: Conclude) -> None:
        self._options = options
        self.limits = options.limits
        self._faults = faults
        self._run = run
        self._conclude = conclude
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
        expires = time.monotonic() + min(event.spec.max_event_age_s, self.limits.event_age)
        await asyncio.sleep(delay_s)
        if event.spec.reserved_concurrency == 0:
            # Switched off: to the destination at once.
            # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
            return await self._end(event, "ZeroReservedConcurrency", 0, None)
        last: Invocation | None = None
        for attempt in count(1):
            before, last = last, await self._attempt(event, expires)
            if last is None:
                return await self._end(event, "EventAgeExceeded", attempt - 1, before)
            if last.function_error is None:
                return await self._end(event, "Success", attempt, last)
            if attempt > event.spec.max_retries:
                return await self._end(event, "RetriesExhausted", attempt, last)
            wait_s = self.limits.retry_wait(attempt)
            await asyncio.sleep(min(wait_s, max(0.0, expires - time.monotonic())))
            if time.monotonic() >= expires:
                return await self._end(event, "EventAgeExceeded", attempt, last)
        return None

    async def _attempt(self, event: Event, expires: float) -> Invocation | None:
        """Run once; a throttled event waits, longer each time. None when it grew too old meanwhile."""
        wait_s = self.limits.throttle_wait
        while True:
            try:
                return await self._run(event)
            except Throttled:
                if time.monotonic() + wait_s > expires:
                    await asyncio.sleep(max(0.0, expires - time.monotonic()))
                    return None
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, self.limits.throttle_wait_max)

    async def _end(self, event: Event, condition: Condition, attempts: int, last: Invocation | None) -> None:
        await self._conclude(
            event.spec,
            EventRecord(
                request_id=event.request_id,
                function_arn=self._options.arn(event.spec.name),
                condition=condition,
                invoke_count=attempts,
                payload=event.payload,
                last=last,
            ),
        )
