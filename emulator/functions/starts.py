"""Who may start an environment, and who waits for one that becomes free.

On AWS a call that finds no free environment has a new one started, and takes whichever is there first. A laptop has few
cores: twenty environments that start at once are all late. So only some start at a time, and a call does not start one
if the environments that are busy now should be free sooner, going by what the function has taken of late. Either way
it takes the first that is there, and a call that takes long never holds others back for longer than a start lasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.contract import FunctionSpec
from emulator.functions.environment import Environment
from emulator.functions.pace import Pace
from emulator.functions.source import Signature


@dataclass(eq=False)
class Waiting:
    """A call without an environment. `turn` gets one that became free, or None: it may start one. `patient_since` is
    when there was one to wait for."""

    spec: FunctionSpec
    tenant_id: str | None
    signature: Signature
    turn: asyncio.Future[Environment | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    patient_since: float | None = None

    def fits(self, environment: Environment) -> bool:
        """Whether the call may run there."""
        mine = (self.spec.name, self.tenant_id, self.signature)
        return (environment.spec.name, environment.tenant_id, environment.signature) == mine


class Starts:
    """The queue of calls without an environment. `at_once` inits run at a time. `busy` tells how many environments that
    suit a call are running another one; `give_back` takes one that its call no longer wants."""

    def __init__(
        self, *, at_once: int, busy: Callable[[Waiting], int], give_back: Callable[[Environment], None]
    ) -> None:
        self._free = at_once
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

    async def turn(self, waiting: Waiting) -> Environment | None:
        """An environment that became free for this call, or None: it may start one, and calls `over` after the init."""
        self._waiting.append(waiting)
        try:
            self._consider(waiting)
            return await waiting.turn
        except asyncio.CancelledError:
            # The turn may have come in the same moment.
            if waiting.turn.done() and not waiting.turn.cancelled():
                freed = waiting.turn.result()
                if freed is None:
                    self.over()
                else:
                    self._give_back(freed)
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

    def over(self) -> None:
        """An init has ended, well or not."""
        self._free += 1
        for waiting in tuple(self._waiting):
            self._consider(waiting)

    def _consider(self, waiting: Waiting) -> None:
        if self._free == 0 or waiting.turn.done():
            return
        loop = asyncio.get_running_loop()
        patience = self.pace(waiting.spec.name).patience(ahead=self._ahead(waiting), busy=self._busy(waiting))
        if patience > 0 and waiting.patient_since is None:
            waiting.patient_since = loop.time()
        left = patience and (waiting.patient_since or 0) + patience - loop.time()
        if left > 0:
            loop.call_later(left, self._consider, waiting)
        else:
            self._free -= 1
            waiting.turn.set_result(None)

    def _ahead(self, waiting: Waiting) -> int:
        """How many calls wait for the same environments, and have waited longer."""
        ahead = 0
        for each in self._waiting:
            if each is waiting:
                break
            ahead += each.spec is waiting.spec and each.tenant_id == waiting.tenant_id
        return ahead
