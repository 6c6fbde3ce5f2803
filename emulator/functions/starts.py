"""Who has an environment started, and who waits for one that becomes free.

As on AWS, a call that finds no free environment has one started, and takes whichever is there first. A laptop has few
cores: twenty environments that start at once are all late. So only some start at a time, and beyond one for each core
none is started if those that are busy should be free sooner, going by what the function has taken of late. A call that
takes long holds others back for no longer than a start lasts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.contract import FunctionSpec
from emulator.functions.environment import Environment, InitFailed
from emulator.functions.pace import Pace
from emulator.functions.source import Signature

_CORES = os.cpu_count() or 1


@dataclass(eq=False)
class Waiting:
    """A call without an environment. `starting`: one starts on its behalf; `patient_since`: when there was one to wait
    for."""

    spec: FunctionSpec
    tenant_id: str | None
    signature: Signature
    turn: asyncio.Future[Environment] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    starting: bool = False
    patient_since: float | None = None

    def fits(self, environment: Environment) -> bool:
        """Whether the call may run there."""
        mine = (self.spec.name, self.tenant_id, self.signature)
        return (environment.spec.name, environment.tenant_id, environment.signature) == mine

    def fail(self, error: InitFailed) -> None:
        """The environment that was started for it is none; it ends so unless another has been there before."""
        if not self.turn.done():
            self.turn.set_exception(error)


class Starts:
    """The queue of calls without an environment. `at_once` inits run at a time. `begin` starts one for a call and tells
    its end with `over`; `busy` tells how many environments that suit a call are running another one; `give_back` takes
    one that its call no longer wants."""

    def __init__(
        self,
        *,
        at_once: int,
        begin: Callable[[Waiting], None],
        busy: Callable[[Waiting], int],
        give_back: Callable[[Environment], None],
    ) -> None:
        self._free = at_once
        self._begin = begin
        self._busy = busy
        self._give_back = give_back
        self._waiting: list[Waiting] = []  # oldest first
        self._paces: dict[str, Pace] = {}

    def pace(self, function: str) -> Pace:
        """What is known of a function."""
        return self._paces.setdefault(function, Pace())

    def waiting(self) -> list[str]:
        """The functions of the calls that wait, one for each."""
        return [each.spec.name for each in self._waiting]

    async def turn(self, waiting: Waiting) -> Environment:
        """An environment for this call, freed or started. Raises `InitFailed` if the one started for it failed."""
        self._waiting.append(waiting)
        try:
            self._consider(waiting)
            return await waiting.turn
        except asyncio.CancelledError:
            # The turn may have come in the same moment.
            if waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.exception() is None:
                self._give_back(waiting.turn.result())
            raise
        finally:
            self._waiting.remove(waiting)

    def offer(self, environment: Environment) -> bool:
        """Give an environment to the call that has waited for it longest; False if there is none."""
        for waiting in self._waiting:
            if not waiting.turn.done() and waiting.fits(environment):
                waiting.turn.set_result(environment)
                return True
        return False

    def over(self, waiting: Waiting) -> None:
        """The start for this call has ended, well or not."""
        waiting.starting = False
        self._free += 1
        for each in tuple(self._waiting):
            self._consider(each)

    def _consider(self, waiting: Waiting) -> None:
        if self._free == 0 or waiting.starting or waiting.turn.done():
            return
        loop = asyncio.get_running_loop()
        pace, busy = self.pace(waiting.spec.name), self._busy(waiting)
        patience = pace.patience(ahead=self._ahead(waiting), busy=busy, cores=_CORES)
        if patience > 0 and waiting.patient_since is None:
            waiting.patient_since = loop.time()
        left = patience and (waiting.patient_since or 0) + patience - loop.time()
        if left > 0:
            loop.call_later(left, self._consider, waiting)
        else:
            self._free -= 1
            waiting.starting = True
            self._begin(waiting)

    def _ahead(self, waiting: Waiting) -> int:
        """How many calls wait for the same environments, and have waited longer."""
        ahead = 0
        for each in self._waiting:
            if each is waiting:
                break
            ahead += each.spec is waiting.spec and each.tenant_id == waiting.tenant_id
        return ahead
