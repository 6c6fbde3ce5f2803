"""The faults that stand now: asked by gateway, Lambda and DynamoDB before each step that can go wrong on AWS."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar, get_args

from emulator.faults.models import (
    DisconnectLost,
    DynamoDbAnswerLost,
    DynamoDbThrottled,
    EventDelayed,
    EventDuplicated,
    EventLost,
    IntegrationDelayed,
    InvocationDelayed,
    InvocationKilled,
    InvocationThrottled,
    Operation,
    PostDelayed,
    PostGone,
    PostThrottled,
    StandingFault,
)
from emulator.gateway.faults import PostFault
from emulator.state.front import RequestFault

F = TypeVar("F", bound=StandingFault)


@dataclass(eq=False)
class Entry:
    """One fault of the registry. `left` None: as often as it may until `ends_at`, in seconds of its clock."""

    number: int
    fault: StandingFault
    left: int | None
    ends_at: float | None


class FaultRegistry:
    """Implements the fault seams of gateway, Lambda and DynamoDB.

    Of several faults that fit a step, the oldest strikes; each strike takes one of its `count`.
    """

    def __init__(self, faults: Iterable[StandingFault] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._entries: list[Entry] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: StandingFault) -> Entry:
        """Let a fault stand from now on."""
        once = fault.count is None and fault.duration_s is None
        ends_at = None if fault.duration_s is None else self._clock() + fault.duration_s
        entry = Entry(next(self._numbers), fault, 1 if once else fault.count, ends_at)
        self._entries.append(entry)
        return entry

    def standing(self) -> tuple[Entry, ...]:
        """The faults that have not ended, oldest first."""
        now = self._clock()
        self._entries = [
            each for each in self._entries if each.left != 0 and (each.ends_at is None or each.ends_at > now)
        ]
        return tuple(self._entries)

    def remaining_s(self, entry: Entry) -> float | None:
        """The seconds for which a fault still stands; None without such an end."""
        return None if entry.ends_at is None else max(0.0, entry.ends_at - self._clock())

    def clear(self, number: int | None = None) -> int:
        """End one fault, or all; returns how many stood."""
        ended = [each for each in self.standing() if number is None or each.number == number]
        self._entries = [each for each in self._entries if each not in ended]
        return len(ended)

    # The gateway's seam

    async def on_post(self, connection_id: str) -> PostFault | None:
        """Delay a post; answer it with 410 or 429."""
        delayed = self._strike(PostDelayed, connection_id)
        refused = self._strike((PostGone, PostThrottled), connection_id)
        if delayed is not None:
            await asyncio.sleep(delayed.delay_s)
        if refused is None:
            return None
        return "gone" if isinstance(refused, PostGone) else "throttled"

    async def on_integration(self, route_key: str, connection_id: str) -> None:
        """Delay the call of a route's function."""
        delayed = self._strike(IntegrationDelayed, connection_id)
        if delayed is not None:
            await asyncio.sleep(delayed.delay_s)

    def loses_disconnect(self, connection_id: str) -> bool:
        """Whether `$disconnect` is never delivered."""
        return self._strike(DisconnectLost, connection_id) is not None

    # Lambda's seam

    def deliveries(self, function: str) -> tuple[float, ...]:
        """When an event is delivered: a lost one never, a delayed one late, a duplicated one twice."""
        if self._strike(EventLost, function) is not None:
            return ()
        delayed = self._strike(EventDelayed, function)
        duplicated = self._strike(EventDuplicated, function)
        first = 0.0 if delayed is None else delayed.delay_s
        return (first,) if duplicated is None else (first, first + duplicated.after_s)

    def delayed_by(self, function: str) -> float:
        """The seconds for which the invocation waits."""
        delayed = self._strike(InvocationDelayed, function)
        return 0.0 if delayed is None else delayed.delay_s

    def is_throttled(self, function: str) -> bool:
        """Whether the invocation is refused."""
        return self._strike(InvocationThrottled, function) is not None

    def killed_after(self, function: str) -> float | None:
        """The seconds after which the invocation that begins now loses its environment."""
        killed = self._strike(InvocationKilled, function)
        return None if killed is None else killed.after_s

    # DynamoDB's seam

    def on_request(self, operation: str) -> RequestFault | None:
        """Refuse a request on items, or lose its answer; tables are made and described undisturbed."""
        if operation not in get_args(Operation):
            return None
        fault = self._strike((DynamoDbThrottled, DynamoDbAnswerLost), operation)
        if fault is None:
            return None
        return "throttled" if isinstance(fault, DynamoDbThrottled) else "answer_lost"

    def _strike(self, kinds: type[F] | tuple[type[F], ...], target: str) -> F | None:
        """Use up one strike of the oldest fault of these kinds for a connection, function or operation."""
        for entry in self.standing():
            fault = entry.fault
            if isinstance(fault, kinds) and _concerns(fault) in (None, target):
                if entry.left is not None:
                    entry.left -= 1
                return fault
        return None


def _concerns(fault: StandingFault) -> str | None:
    match fault:
        case PostGone() | PostThrottled() | PostDelayed() | IntegrationDelayed() | DisconnectLost():
            return fault.connection
        case EventLost() | EventDuplicated() | EventDelayed():
            return fault.function
        case InvocationDelayed() | InvocationThrottled() | InvocationKilled():
            return fault.function
        case DynamoDbThrottled() | DynamoDbAnswerLost():
            return fault.operation
