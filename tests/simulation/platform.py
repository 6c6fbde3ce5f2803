"""Lambda: starts functions, queues events, kills what takes too long, tells of failures; and the schedule of sweeps."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from dayfly.errors import PortError
from dayfly.ports.invoker import EngineCall
from tests.simulation.actors import Actor
from tests.simulation.functions import engine, notice, router, sweeping
from tests.simulation.gateway import Connection
from tests.simulation.weather import Kind

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUTER_S: Final = 29.0
RECOVERY_S: Final = 60.0
EVENT_AGE_S: Final = 60.0
SWEEP_S: Final = 60.0


class Platform:
    """The functions of the stack."""

    def __init__(self, world: "World", *, lifetime_s: float) -> None:
        self._world = world
        self.lifetime_s = lifetime_s
        self.engines: list[Actor] = []
        self.recovering: list[Actor] = []
        self.routers = 0
        """Frames that are being answered."""
        self.queued = 0
        """Invocations and notices on their way."""
        self.harmed: set[str] = set()
        """Runs whose engines, or the way to them, something befell."""
        self.unmade: set[str] = set()
        """Runs for one of whose engines no agent was installed."""
        self.hindrances = 0
        """Invocations that died or stood still, and faults on the way to an engine."""

    # The router.

    def frame(self, connection: Connection, body: str) -> None:
        """A frame of a client."""
        world = self._world
        if not connection.open:
            return
        actor = world.actor(Kind.ROUTER, connection.name)
        actor.action = json.loads(body)["action"]
        self.routers += 1

        def on_end(ended: Actor) -> None:
            self.routers -= 1

        self._run(actor, router(world, actor, connection, body), ROUTER_S, on_end)
        if actor.action == "forget" and world.hazards.half_forgotten and world.troubled:
            world.later(world.hazards.dice.between(0.01, 0.06), actor.die)

    # Engines.

    def enqueue(self, call: EngineCall) -> None:
        """Takes an asynchronous invocation."""
        world = self._world
        chances = world.weather.chances
        for _ in range(1 + world.weather.happens(chances.invocation_twice)):
            if world.weather.happens(chances.invocation_lost):
                self.harmed.add(call.run)
                world.say(None, lambda: f"lost: an invocation of {call.run}")
            elif world.weather.happens(chances.throttled):
                self.queued += 1
                self.harmed.add(call.run)
                world.later(EVENT_AGE_S, self._expire, call)
            else:
                after = world.dice.between(0.01, 0.3)
                if world.weather.happens(chances.invocation_late):
                    self.harmed.add(call.run)
                    after = world.dice.between(0.5, 40.0)
                self.queued += 1
                world.later(after, self._start, call)

    def _expire(self, call: EngineCall) -> None:
        self.queued -= 1
        self._tell(call, invocation=self._world.name(Kind.ENGINE), expired=True, timed_out=False)

    def _start(self, call: EngineCall) -> None:
        world = self._world
        self.queued -= 1
        actor = world.actor(Kind.ENGINE, call.run)
        self.engines.append(actor)

        def on_end(ended: Actor) -> None:
            self.engines.remove(ended)
            if ended.faults or ended.error is not None:
                self.harmed.add(call.run)
            if ended.error is not None or not ended.alive:
                world.attempts.engine_gone(ended)
                world.say(ended, lambda: f"failed: {ended.error!r}" if ended.error else "dead")
                if self._tell(call, invocation=ended.name, expired=False, timed_out=ended.timeout):
                    world.attempts.notice_on_its_way(ended)

        self._run(actor, engine(world, actor, call, lifetime_s=self.lifetime_s), self.lifetime_s, on_end)
        if world.weather.happens(world.weather.chances.struck):
            world.later(world.dice.between(0.0, 8.0), self._strike, actor)

    def _strike(self, actor: Actor) -> None:
        if not actor.over and self._world.troubled:
            self._world.say(actor, lambda: "struck")
            if self._world.dice.chance(0.7):
                actor.die()
            else:
                actor.pause(self._world.dice.between(1.0, 45.0))

    # Recovery.

    def _tell(self, call: EngineCall, *, invocation: str, expired: bool, timed_out: bool) -> bool:
        """The on-failure destination. Says whether a notice comes in time."""
        world = self._world
        chances = world.weather.chances
        if world.weather.happens(chances.notice_lost):
            world.say(None, lambda: f"lost: the notice of {invocation}")
            return False
        in_time = False
        for _ in range(1 + world.weather.happens(chances.notice_twice)):
            late = world.weather.happens(chances.notice_late)
            in_time = in_time or not late
            self.queued += 1
            after = world.dice.between(1.0, 30.0) if late else world.dice.between(0.02, 0.5)
            world.later(after, self._notice, call, invocation, expired, timed_out)
        return in_time

    def _notice(self, call: EngineCall, invocation: str, expired: bool, timed_out: bool) -> None:
        self.queued -= 1
        actor = self._world.actor(Kind.NOTICE, call.run)
        told = notice(self._world, actor, call, invocation=invocation, expired=expired, timed_out=timed_out)
        self._recover(actor, told, lambda ended: self._world.attempts.noticed(ended, invocation))

    def sweep(self) -> None:
        """The schedule: once a minute, sometimes twice at once."""
        world = self._world
        if not world.troubled and not world.store.held.indexed:
            world.later(SWEEP_S, self.sweep)  # it would find nothing: hours pass quickly
            return
        for _ in range(1 + world.weather.happens(world.weather.chances.sweep_twice)):
            actor = world.actor(Kind.SWEEP, "")
            self._recover(actor, sweeping(world, actor), world.attempts.swept)
            if world.weather.happens(world.weather.chances.sweep_killed):
                world.later(world.dice.between(0.0, 0.3), actor.die)
        world.later(SWEEP_S, self.sweep)

    def _recover(self, actor: Actor, work: Awaitable[None], judge: Callable[[Actor], None]) -> None:
        def on_end(ended: Actor) -> None:
            self.recovering.remove(ended)
            judge(ended)

        self.recovering.append(actor)
        self._run(actor, work, RECOVERY_S, on_end)

    def _run(self, actor: Actor, work: Awaitable[None], limit: float, on_end: Callable[[Actor], None]) -> None:
        def end(ended: Actor) -> None:
            self.hindrances += not ended.alive or ended.paused_s > 0
            if ended.finished and (left := ended.leftovers):
                self._world.truth.violated(f"{ended.name} has returned and left {left}")
            if ended.finished and ended.unseen:
                self._world.later(0.001, self._see, ended)
            if ended.error is not None and not _is_of_a_port(ended.error):
                self._world.truth.violated(f"{ended.name} raised {ended.error!r}")
            on_end(ended)

        actor.start(work, end)
        self._world.later(limit, self._time_out, actor)

    def _see(self, ended: Actor) -> None:
        """Looks, a moment after an invocation, for failures of its tasks that nobody has looked at."""
        if unseen := ended.unseen:
            self._world.truth.violated(f"{ended.name} has returned, and nobody has seen {unseen}")

    def _time_out(self, actor: Actor) -> None:
        """Kills what is still there. What was paused has that much more time, as it would have had of 15 minutes."""
        if actor.over:
            return
        if (rest := actor.paused_s - actor.granted_s) > 0:
            actor.granted_s = actor.paused_s
            self._world.later(rest, self._time_out, actor)
            return
        self._world.say(actor, lambda: "timed out")
        if not actor.faults:
            self._world.truth.violated(f"{actor.name} was killed at its time-out, though nothing befell it")
        actor.die(timeout=True)


def _is_of_a_port(error: BaseException) -> bool:
    """Whether all that was raised is that some service did not answer."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_of_a_port(one) for one in error.exceptions)
    return isinstance(error, PortError)
