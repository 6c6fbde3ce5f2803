"""What a sweep must not leave as it found it."""

from typing import TYPE_CHECKING, Final

from tests.simulation.actors import Actor

if TYPE_CHECKING:
    from tests.simulation.world import World

SETTLED_S: Final = 0.5
"""A lease that has been due for so long is due for every clock that reads the index meanwhile."""


class DueBefore:
    """The leases that are due when a sweep begins. One that meets no fault leaves none of them as it was."""

    def __init__(self, world: "World", actor: Actor) -> None:
        self._world = world
        self._actor = actor
        due = actor.now_ms() - SETTLED_S * 1000
        self._due = [row for row in world.store.held.indexed.values() if row.due < due]

    def check(self) -> None:
        """To be called when the sweep has ended well."""
        if self._actor.faults or self._actor.stepped or self._world.weather.wild:
            return
        held = self._world.store.held
        for lease in self._due:
            if held.get(lease.key) == lease:
                self._world.truth.violated(f"{self._actor.name} left {lease.key.sk} due, as it was: {lease}")
