"""Faults at random, for as long as it lasts: what AWS does to an application, many times as often."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.live.kit.control import ENGINE, RECOVERY, ROUTER, Control
from tests.live.kit.device import Device

MOST_STANDING = 12
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
OPERATIONS = (*WRITES, "GetItem", "Query")

MOMENTS = (
    "user_message",
    "accepted",
    "agent_started",
    "agent_thinking",
    "agent_delta",
    "agent_reasoning",
    "agent_retrying",
    "tool_executing",
    "tool_progress",
    "tool_completed",
    "approval_requested",
    "approved",
    "agent_resumed",
    "agent_completed",
    "agent_cancelled",
    "agent_error",
    "cancelling",
)

Blow = Callable[[], Awaitable[object]]


class Storm:
    """Strikes at random moments, `pace_s` apart on average."""

    def __init__(self, control: Control, rng: random.Random, devices: Sequence[Device], *, pace_s: float) -> None:
        self._control, self._rng, self._devices, self._pace_s = control, rng, devices, pace_s
        self._aim: str | None = None
        self._aimed = asyncio.Event()
        self._blows: tuple[tuple[int, Blow], ...] = (
            (6, self._kill_an_engine),
            (2, self._kill_a_router),
            (2, self._kill_a_recovery),
            (1, self._kill_all),
            (5, self._kill_at),
            (5, self._cut),
            (4, self._close),
            (2, self._gone),
            (3, self._posts),
            (3, self._events),
            (2, self._invocations),
            (4, self._database),
            (1, self._integration),
        )

    def overhear(self, kind: str) -> None:
        """A device was sent a frame of this type."""
        if kind == self._aim:
            self._aim = None
            self._aimed.set()

    async def rage(self) -> None:
        """Goes on until it is cancelled."""
        weights = [weight for weight, _ in self._blows]
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / self._pace_s))
            if len(await self._control.standing()) < MOST_STANDING:
                (_, blow), *_ = self._rng.choices(self._blows, weights)
                await blow()

    # Deaths

    async def _kill_an_engine(self) -> None:
        await self._control.inject("invocation_killed", function=ENGINE, after_s=self._seconds(0, 4))

    async def _kill_a_router(self) -> None:
        await self._control.inject("invocation_killed", function=ROUTER, after_s=self._seconds(0, 0.1))

    async def _kill_a_recovery(self) -> None:
        await self._control.inject("invocation_killed", function=RECOVERY, after_s=self._seconds(0, 0.2))

    async def _kill_at(self) -> None:
        """Waits for a frame of some type to reach anybody, and kills whoever may have sent it in the next step."""
        self._aim = self._rng.choice(MOMENTS)
        self._aimed.clear()
        try:
            await asyncio.wait_for(self._aimed.wait(), 5)
        except TimeoutError:
            return
        finally:
            self._aim = None
        await asyncio.sleep(self._rng.choice((0, 0, 0.01, 0.03, 0.1)))
        await self._control.inject("kill_environments", function=self._rng.choice((ENGINE, ENGINE, ROUTER)))

    async def _kill_all(self) -> None:
        await self._control.inject("kill_environments", function=self._rng.choice((ENGINE, ENGINE, ROUTER, RECOVERY)))

    # Sockets

    async def _cut(self) -> None:
        if self._devices:
            device = self._rng.choice(self._devices)
            if self._rng.random() < 0.5:
                device.cut(self._seconds(0.05, 3))
            else:
                await device.part(self._seconds(0.05, 3))

    async def _close(self) -> None:
        connection = await self._a_connection()
        if connection is None:
            return
        if self._rng.random() < 0.5:
            await self._control.inject("disconnect_lost", connection=connection)
        await self._control.inject("close_sockets", connection=connection, code=self._rng.choice((1001, 1011)))

    async def _gone(self) -> None:
        """A 410 is the truth on AWS: the socket is closed for good soon after."""
        connection = await self._a_connection()
        if connection is not None:
            gone = await self._control.inject("post_gone", connection=connection)
            await asyncio.sleep(self._seconds(0.1, 1.5))
            await self._control.inject("close_sockets", connection=connection)
            await self._control.withdraw(gone)

    async def _posts(self) -> None:
        if self._rng.random() < 0.5:
            await self._control.inject("post_throttled", count=self._rng.randint(1, 6))
        else:
            await self._control.inject("post_delayed", count=self._rng.randint(1, 8), delay_s=self._seconds(0.05, 1.5))

    async def _integration(self) -> None:
        await self._control.inject("integration_delayed", count=2, delay_s=self._seconds(0.1, 2))

    # Invocations and the table

    async def _events(self) -> None:
        function = self._rng.choice((ENGINE, ENGINE, RECOVERY))
        match self._rng.choices(("event_lost", "event_duplicated", "event_delayed"), (1, 3, 3))[0]:
            case "event_duplicated":
                await self._control.inject("event_duplicated", function=function, after_s=self._seconds(0, 5))
            case "event_delayed":
                await self._control.inject("event_delayed", function=function, delay_s=self._seconds(0.1, 3))
            case lost:
                await self._control.inject(lost, function=function)

    async def _invocations(self) -> None:
        function = self._rng.choice((ENGINE, RECOVERY, ROUTER))
        if self._rng.random() < 0.5:
            await self._control.inject("invocation_throttled", function=function, count=self._rng.randint(1, 2))
        else:
            await self._control.inject("invocation_delayed", function=function, delay_s=self._seconds(0.1, 2))

    async def _database(self) -> None:
        if self._rng.random() < 0.5:
            await self._control.inject(
                "dynamodb_throttled", operation=self._rng.choice(OPERATIONS), count=self._rng.randint(1, 4)
            )
        else:
            await self._control.inject(
                "dynamodb_answer_lost", operation=self._rng.choice(OPERATIONS), count=self._rng.randint(1, 2)
            )

    async def _a_connection(self) -> str | None:
        connections = await self._control.connections()
        return self._rng.choice(connections) if connections else None

    def _seconds(self, least: float, most: float) -> float:
        return round(self._rng.uniform(least, most), 3)
