"""Schedules: EventBridge rules that invoke a function, at a fixed rate or by a cron expression."""

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import uuid4

from emulator.contract import ScheduleSpec
from emulator.cron import Cron
from emulator.functions.options import LambdaOptions

_STEP_S = 30.0

Fire = Callable[[str, bytes], object]
Clock = Callable[[], datetime]


class Schedules:
    """Runs each schedule; at a rate the first time one interval after the start, as a new rule does.

    `clock` tells the time (aware) that cron expressions go by.
    """

    def __init__(
        self, specs: Iterable[ScheduleSpec], *, options: LambdaOptions, fire: Fire, clock: Clock | None = None
    ) -> None:
        self._clock = clock or _utc
        self._specs = tuple(specs)
        self._options = options
        self._fire = fire
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to count."""
        self._loops = [asyncio.create_task(self._run(spec)) for spec in self._specs]

    async def stop(self) -> None:
        """Fire no more."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def _run(self, spec: ScheduleSpec) -> None:
        every_s = self._options.schedule_every_s or (None if spec.cron else spec.every_s)
        while True:
            if every_s is not None:
                await asyncio.sleep(every_s)
            elif not await self._due(Cron.parse(spec.cron or "", spec.timezone)):
                return
            payload = scheduled_event(self._options) if spec.payload is None else spec.payload.encode()
            self._fire(spec.function, payload)

    async def _due(self, cron: Cron) -> bool:
        """Wait for the next time of `cron`; False if there is none."""
        due = cron.after(self._clock())
        if due is None:
            return False
        # In short steps: while a laptop sleeps the loop's clock stands still, the wall's does not.
        while (left_s := (due - self._clock()).total_seconds()) > 0:  # noqa: ASYNC110 - nothing tells of the time
            await asyncio.sleep(min(left_s, _STEP_S))
        return True


def _utc() -> datetime:
    return datetime.now(UTC)


def scheduled_event(options: LambdaOptions) -> bytes:
    """The event of a rule without an input of its own.

    https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
    """
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": options.account_id,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": options.region,
            "resources": [f"arn:aws:events:{options.region}:{options.account_id}:rule/schedule"],
            "detail": {},
        }
    ).encode()
