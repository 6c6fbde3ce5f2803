"""DynamoDB's TTL: a row whose `expires` has passed vanishes at some time after that, or never."""

from typing import TYPE_CHECKING

from dayfly.ports.table import Put
from dayfly.runlog.keys import Key
from tests.simulation.actors import START_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.ports.table import Action
    from tests.simulation.world import World


class Expiry:
    """Deletes what has expired, where the schedule has that. `taken`: the keys of what it deleted."""

    def __init__(self, world: "World") -> None:
        self.taken: set[Key] = set()
        self._world = world

    def written(self, actions: "Sequence[Action]") -> None:
        """A write has happened: each row in it that expires may be deleted after that."""
        if not self._world.hazards.ttl:
            return
        for action in actions:
            if isinstance(action, Put):
                self.taken.discard(action.key)
                expires = getattr(action.row, "expires", None)
                after = self._world.hazards.deleted_after() if expires is not None else None
                if expires is not None and after is not None:
                    in_s = expires - START_MS / 1000 - self._world.loop.now
                    self._world.later(max(in_s, 0.0) + after, self._delete, action.key, expires)

    def _delete(self, key: Key, expires: int) -> None:
        """Deletes the row, unless another one has taken its place."""
        world = self._world
        row = world.store.held.get(key)
        if row is None or getattr(row, "expires", None) != expires:
            return
        world.store.expire(key)
        self.taken.add(key)
        world.truth.reached.add(f"ttl: {type(row).__name__}")
        world.say(None, lambda: f"expired: {key.sk}")
