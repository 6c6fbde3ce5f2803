"""Breaking leases, fences, and what recovery does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from dayfly.agents.protocol import Turn
from dayfly.engine import engine, lease_keeper
from dayfly.engine.beginning import Beginning
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.time_budget import TimeBudget
from dayfly.errors import RunFailed
from dayfly.ports.table import Action, Delete, Put, Table
from dayfly.protocol.events import AnyPayload
from dayfly.publisher import fence
from dayfly.publisher.batch import Batch, Emitted
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.delivery import Delivery
from dayfly.publisher.ending import Ending
from dayfly.publisher.fence import Fence
from dayfly.publisher.log_writer import Committed, Companion, LogWriter
from dayfly.publisher.settle import settle
from dayfly.publisher.starting import start_engine
from dayfly.recovery import notice, sweep
from dayfly.recovery.caretaker import Caretaker
from dayfly.recovery.standing import Standing, standing_of
from dayfly.runlog import keys
from dayfly.runlog.keys import Key
from dayfly.runlog.rows import LogRow
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken, unconditional
from tests.simulation.weather import DEADLY, Fate


@contextmanager
def lease_deleted_before_the_post() -> Iterator[None]:
    """An ended run's lease goes first, then the end is posted."""
    commit = WebSocketBridge.commit

    async def hasty(self: WebSocketBridge, payload: AnyPayload, companion: Companion, *, last: bool = False) -> Any:
        done = await commit(self, payload, companion, last=last)
        if isinstance(companion, Ending):
            run = companion.run
            await settle(self._writer._table, Delete(keys.lease_key(run.user, run.run)))
        return done

    with replaced(WebSocketBridge, "commit", hasty):
        yield


@contextmanager
def end_not_posted_again() -> Iterator[None]:
    """Recovery drops the lease of an ended run without posting its end."""

    async def lazy(self: Caretaker, standing: Standing) -> None:
        await self.outside.drop_lease(standing.run)

    with replaced(Caretaker, "post_end", lazy):
        yield


@contextmanager
def retry_without_fence() -> Iterator[None]:
    """Recovery invokes a lost attempt again, as if it had not begun."""

    async def unfenced(self: Caretaker, standing: Standing, reason: RunFailed) -> None:
        later = replace(standing.lease, due=self.outside.clock.now_ms() + 10_000)
        await settle(self.outside.table, Put(later))
        await start_engine(self.outside.invoker, standing.run)

    with replaced(Caretaker, "resume", unfenced):
        yield


@contextmanager
def unconditional_renewal() -> Iterator[None]:
    """An engine renews its lease without asking whether it still has it."""
    with replaced(lease_keeper, "Put", unconditional):
        yield


@contextmanager
def no_renewal() -> Iterator[None]:
    """An engine does not renew its lease."""

    async def idle(self: LeaseKeeper, lost: object) -> None:
        await asyncio.Event().wait()

    with replaced(LeaseKeeper, "keep", idle):
        yield


@contextmanager
def fence_apart() -> Iterator[None]:
    """The fence's record is written first, run and lease in another write."""
    actions_of = Fence.actions
    commit_all = WebSocketBridge.commit_all
    rest: dict[int, tuple[Action, ...]] = {}

    async def none(self: Fence, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        rest[id(self)] = await actions_of(self, row, batch)
        return ()

    async def then(self: WebSocketBridge, payloads: Any, companion: Companion, *, last: bool = False) -> Committed:
        done = await commit_all(self, payloads, companion, last=last)
        if isinstance(companion, Fence):
            await settle(self._writer._table, *rest.pop(id(companion)))
        return done

    with replaced(Fence, "actions", none), replaced(WebSocketBridge, "commit_all", then):
        yield


@contextmanager
def unconditional_fence() -> Iterator[None]:
    """A fence asks nothing of run and lease."""
    with replaced(fence, "Put", unconditional):
        yield


@contextmanager
def frozen_engine_goes_on() -> Iterator[None]:
    """An engine that has stood still for long does not look whether its lease can be another's."""

    async def blindly(self: LeaseKeeper) -> None:
        pass

    with replaced(LeaseKeeper, "hold", blindly):
        yield


@contextmanager
def recovery_trusts_the_index() -> Iterator[None]:
    """What the index names as due is taken as due."""
    look_after = sweep._look_after

    async def trusting(table: Table, caretaker: Caretaker, key: Key, *, now: int) -> None:
        if not key.sk.startswith(keys.LEASES):
            await look_after(table, caretaker, key, now=now)
        elif (standing := await standing_of(table, key)) is not None:
            await caretaker.look_after(standing)

    with replaced(sweep, "_look_after", trusting):
        yield


@contextmanager
def any_notice_is_its_own() -> Iterator[None]:
    """A notice resumes the run, whoever's failure it tells of."""

    async def yes(table: Table, standing: Standing, invocation: str) -> bool:
        return True

    with replaced(notice, "_was_its_engine", yes):
        yield


@contextmanager
def claim_apart() -> Iterator[None]:
    """An engine claims its lease in a write of its own, after its first record."""
    actions_of = Beginning.actions
    append = LogWriter.append
    rest: dict[int, tuple[Action, ...]] = {}

    async def none(self: Beginning, row: LogRow, batch: Batch) -> tuple[Action, ...]:
        rest[id(self)] = await actions_of(self, row, batch)
        return ()

    async def then(self: LogWriter, items: tuple[Emitted, ...], companion: Companion | None = None) -> Committed:
        done = await append(self, items, companion)
        if isinstance(companion, Beginning):
            await settle(self._table, *rest.pop(id(companion)))
        return done

    with replaced(Beginning, "actions", none), replaced(LogWriter, "append", then):
        yield


@contextmanager
def doubtful_tool_runs_again() -> Iterator[None]:
    """Tools in doubt are simply run again."""

    def certain(**fields: Any) -> Turn:
        return Turn(**{**fields, "in_doubt": frozenset()})

    with replaced(engine, "Turn", certain):
        yield


@contextmanager
def slow_recovery() -> Iterator[None]:
    """A lost run is taken up after some consideration."""
    resume = Caretaker.resume

    async def hesitant(self: Caretaker, standing: Standing, reason: RunFailed) -> None:
        await asyncio.sleep(6.0)
        await resume(self, standing, reason)

    with replaced(Caretaker, "resume", hesitant):
        yield


@contextmanager
def no_heartbeat() -> Iterator[None]:
    """A silent engine says nothing."""
    with replaced(Delivery, "heartbeat", lambda self, **what: None):
        yield


@contextmanager
def no_deadline() -> Iterator[None]:
    """An engine takes no notice of its time."""
    with (
        replaced(TimeBudget, "left_s", property(lambda self: 10_000.0)),
        replaced(TimeBudget, "another_step_fits", lambda self: True),
    ):
        yield


ALL: Final = (
    Broken(no_deadline, 1),
    Broken(lease_deleted_before_the_post, 91, fates=DEADLY),
    Broken(end_not_posted_again, 144, fates=DEADLY),
    Broken(retry_without_fence, 0, fates=DEADLY),
    Broken(unconditional_renewal, 11, fates={Fate.PAUSE}),
    Broken(no_renewal, 53),
    Broken(fence_apart, 204, fates=DEADLY, chances={"notice_late", "notice_twice", "sweep_twice"}),
    Broken(unconditional_fence, 44, fates={Fate.DIES_AFTER, Fate.SLOW}, chances={"notice_twice"}),
    Broken(frozen_engine_goes_on, 38, fates={Fate.PAUSE}),
    Broken(recovery_trusts_the_index, 29, chances={"index_invents", "index_lags"}),
    Broken(any_notice_is_its_own, 21, chances={"invocation_twice", "notice_late"}),
    Broken(slow_recovery, 17, fates=DEADLY),
    Broken(no_heartbeat, 1),
    Broken(claim_apart, 36, fates=DEADLY),
    Broken(doubtful_tool_runs_again, 39),
)
