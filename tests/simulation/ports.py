"""The ports of one actor: each call takes its time, and meets its fate."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Final, TypeVar

from dayfly.errors import DayflyError, Unsettled
from dayfly.ports.invoker import EngineCall
from dayfly.ports.table import Action, RowT, Span
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import Row
from tests.simulation.actors import Actor, forever
from tests.simulation.store import at_once
from tests.simulation.trace import of_actions, of_call, of_frame
from tests.simulation.weather import DEADLY, Fate, Port

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")

POST_TIMEOUT_S: Final = 20.0
"""How long a post is waited for at most."""
NOBODY: Final = Context()
"""What happens in the world belongs to no actor."""


class Line:
    """An actor's line to a service: carries out its calls, each at one moment of virtual time."""

    def __init__(self, world: "World", actor: Actor) -> None:
        self.world = world
        self.actor = actor

    def call(self, port: Port, happens: Callable[[], T], what: Callable[[], str]) -> Awaitable[T]:
        """Carries the call out as its fate wants it. What has been sent happens even if the caller waits no more."""
        world = self.world
        fate = world.weather.fate(self.actor.kind, port, now=world.loop.now)
        if fate is Fate.DONE:
            return self._sent(happens, what, after=world.latency())
        return self._befallen(fate, port, happens, what)

    async def _befallen(self, fate: Fate, port: Port, happens: Callable[[], T], what: Callable[[], str]) -> T:
        world, actor = self.world, self.actor
        actor.faults += 1
        actor.cut_off = actor.cut_off or world.weather.out(actor.kind, port, now=world.loop.now)
        world.platform.hindrances += port is Port.INVOKE
        world.truth.reached.add(f"{actor.kind} {port}: {fate.value}")
        world.say(actor, lambda: f"{what()}: {fate.value}")
        dice = world.dice
        actor.haunts = actor.haunts or fate in {Fate.IN_FLIGHT, Fate.LATE}
        if fate in DEADLY:
            if fate is Fate.DIES_AFTER:
                self._happen(happens, what)
            elif fate is Fate.IN_FLIGHT:
                world.later(dice.between(0.01, 2.0), self._happen, happens, what)
            actor.die()
            await forever()
        if fate is Fate.PAUSE:
            actor.pause(dice.pick(world.weather.pauses_s) * dice.between(0.8, 1.2))
            if dice.chance(0.5):
                await self._sent(_nothing, lambda: "woken, and about to call", after=0.0)
        if fate is Fate.SLOW:
            return await self._sent(happens, what, after=dice.pick((0.3, 1.0, 4.0)) * dice.between(0.5, 1.2))
        if fate is Fate.REFUSED:
            await self._refused(dice.between(0.01, 0.3))
        if fate is Fate.LOST:
            await self._sent(happens, what, after=world.latency())
            await self._refused(dice.between(0.01, 0.3))
        if fate is Fate.LATE:
            world.later(dice.between(0.05, 3.0), self._happen, happens, what)
            await self._refused(dice.between(0.01, 0.3))
        return await self._sent(happens, what, after=world.latency())

    def later(self, happens: Callable[[], T], what: Callable[[], str]) -> Awaitable[T]:
        """The rest of a read, at another moment."""
        world = self.world
        world.truth.reached.add(f"{self.actor.kind} read: torn")
        return self._sent(happens, what, after=world.hazards.dice.pick((0.0, 0.005, 0.03, 0.3)))

    async def _refused(self, after: float) -> None:
        waits = self.world.loop.create_future()
        self.world.later(after, _give, waits, None, Unsettled("simulated"))
        await waits

    def _sent(self, happens: Callable[[], T], what: Callable[[], str], *, after: float) -> "Future[T]":
        waits: Future[T] = self.world.loop.create_future()
        self.world.loop.call_later(after, self._arrive, waits, happens, what, context=NOBODY)
        return waits

    def _arrive(self, waits: "Future[T]", happens: Callable[[], T], what: Callable[[], str]) -> None:
        """The call reaches its service; the answer takes as long again, sometimes."""
        result: T | None = None
        error: Exception | None = None
        try:
            result = happens()
        except DayflyError as raised:
            error = raised
        if self.world.trace is not None:
            self.world.say(self.actor, lambda: what() if error is None else f"{what()}: {type(error).__name__}")
        if self.world.dice.chance(0.1):
            self.world.later(self.world.latency(), _give, waits, result, error)
        else:
            _give(waits, result, error)

    def _happen(self, happens: Callable[[], object], what: Callable[[], str]) -> None:
        """It happens, and nobody is told."""
        try:
            happens()
        except DayflyError as error:
            missed = type(error).__name__
            self.world.say(self.actor, lambda: f"{what()}: untold {missed}")
        else:
            self.world.say(self.actor, lambda: f"{what()}: untold")


def _give(waits: "Future[T]", result: T | None, error: Exception | None) -> None:
    if waits.done():
        return
    if error is not None:
        waits.set_exception(error)
    else:
        waits.set_result(result)  # type: ignore[arg-type]  # without an error it is a T


class SimTable:
    """The `Table` port over the one store."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._store = line.world.store

    async def get(self, key: Key, kind: type[RowT]) -> RowT | None:
        return await self._line.call(Port.READ, lambda: at_once(self._store.get(key, kind)), lambda: f"get {key.sk}")

    async def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        hazards = self._line.world.hazards
        late = [key for key in keys if hazards.dice.chance(0.5)] if len(keys) > 1 and hazards.tears() else []
        found = await self._line.call(
            Port.READ,
            lambda: at_once(self._store.get_many([key for key in keys if key not in late])),
            lambda: f"get {', '.join(key.sk for key in keys if key not in late)}",
        )
        if not late:
            return found
        rest = await self._line.later(
            lambda: at_once(self._store.get_many(late)),
            lambda: f"get {', '.join(key.sk for key in late)} in the same read",
        )
        return {key: row for key in keys if (row := {**found, **rest}.get(key)) is not None}

    async def query(self, span: Span, kind: type[RowT], *, limit: int, descending: bool = False) -> tuple[RowT, ...]:
        def read() -> tuple[RowT, ...]:
            return at_once(self._store.query(span, kind, limit=limit, descending=descending))

        found = await self._line.call(
            Port.READ, read, lambda: f"query {span.first}{' from the end' if descending else ''}"
        )
        return await self._torn(span, found, read, descending=descending)

    async def query_live(self, span: Span, *, limit: int) -> tuple[Row, ...]:
        def read() -> tuple[Row, ...]:
            return at_once(self._store.query_live(span, limit=limit))

        found = await self._line.call(Port.READ, read, lambda: f"query {span.first}")
        return await self._torn(span, found, read)

    async def _torn(
        self, span: Span, found: tuple[RowT, ...], read: Callable[[], tuple[RowT, ...]], *, descending: bool = False
    ) -> tuple[RowT, ...]:
        """What a query gives that reads the rows behind some place a moment after those before it."""
        hazards = self._line.world.hazards
        if len(found) < 2 or not hazards.tears():
            return found
        before = found[: 1 + hazards.dice.upto(len(found) - 1)]
        place = before[-1].key.sk
        rest = await self._line.later(read, lambda: f"query {span.first} behind {place} in the same read")
        behind = (row for row in rest if (row.key.sk < place if descending else row.key.sk > place))
        return (*before, *behind)

    async def write(self, *actions: Action, token: str | None = None) -> None:
        line = self._line

        def happens() -> None:
            if self._store.carry_out(actions, token):
                line.world.written(line.actor, actions)

        await line.call(Port.WRITE, happens, lambda: f"write {of_actions(actions)}")

    async def due_leases(self, shard: str, *, before: int, limit: int) -> tuple[Key, ...]:
        return await self._line.call(
            Port.READ,
            lambda: self._line.world.index(self._line.actor, shard, before=before, limit=limit),
            lambda: f"index {shard} before {before}",
        )


class SimPoster:
    """The `Poster` port: the one way to the clients."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def post(self, connection: str, frame: bytes) -> None:
        line = self._line
        stuck = line.world.gateway.stuck(connection)
        if stuck:
            line.actor.faults += 1
            if stuck > 5.0:
                await line._refused(min(stuck, POST_TIMEOUT_S))
            await line._sent(_nothing, _stuck, after=stuck)
        await line.call(
            Port.POST,
            lambda: line.world.gateway.deliver(line.actor, connection, frame),
            lambda: f"post to {connection} {of_frame(frame)}",
        )


class SimInvoker:
    """The `Invoker` port: Lambda's asynchronous queue."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def start(self, call: EngineCall) -> None:
        await self._line.call(
            Port.INVOKE, lambda: self._line.world.platform.enqueue(call), lambda: f"invoke {of_call(call)}"
        )

    async def warm_up(self, *, user: str, tenant: str) -> None:
        await self._line.call(Port.INVOKE, _nothing, lambda: "warm up")


class NoMeter:
    """Measures nothing."""

    def add(self, *measured: object, **also: object) -> None:
        """Takes no notice."""


def _nothing() -> None:
    pass


def _stuck() -> str:
    return "a socket that stands still"
