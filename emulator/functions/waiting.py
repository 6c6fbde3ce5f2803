"""The calls that wait for an environment, in the order of their arrival."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.contract import FunctionSpec
from emulator.functions.environment import Environment, Kind
from emulator.functions.lifecycle import InitFailed


@dataclass(eq=False)
class WaitingCall:
    """A call without an environment; `turn` gets one, or the reason why there is none.

    `starting`: one starts on its behalf. `patient_since`: when it began to wait for a busy one, on the loop's clock.
    """

    spec: FunctionSpec
    kind: Kind
    turn: asyncio.Future[Environment] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    starting: bool = False
    patient_since: float | None = None

    def give(self, environment: Environment) -> None:
        """Its turn has come: the environment is reserved for it."""
        environment.reserve()
        self.turn.set_result(environment)

    def fail(self, error: InitFailed) -> None:
        """The environment that was started for it is none; it ends so unless another has been there before."""
        if not self.turn.done():
            self.turn.set_exception(error)

    def received(self) -> Environment | None:
        """The environment that it has been given, None if it has not."""
        if not self.turn.done() or self.turn.cancelled() or self.turn.exception() is not None:
            return None
        return self.turn.result()


class WaitingCalls:
    """A queue for all functions; each call can be served by environments of its own kind alone."""

    def __init__(self) -> None:
        self._calls: list[WaitingCall] = []

    def __iter__(self) -> Iterator[WaitingCall]:
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, call: WaitingCall) -> None:
        """It waits behind all others."""
        self._calls.append(call)

    def remove(self, call: WaitingCall) -> None:
        """It waits no longer."""
        self._calls.remove(call)

    def first(self, kind: Kind) -> WaitingCall | None:
        """The one that has waited longest for an environment of this kind, None if none does."""
        return next((each for each in self._calls if each.kind == kind and not each.turn.done()), None)

    def ahead_of(self, call: WaitingCall) -> int:
        """How many wait for the same environments, and have waited longer."""
        ahead = 0
        for each in self._calls:
            if each is call:
                break
            ahead += each.spec is call.spec and each.kind.tenant_id == call.kind.tenant_id
        return ahead
