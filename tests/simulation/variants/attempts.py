"""Breaking leases, fences, and what recovery does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from dayfly.agents.sdk.protocol import Turn
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.broadcast import Broadcast
from dayfly.engine import engine, lease_keeper
from dayfly.engine.lease_keeper import LeaseKeeper
from dayfly.engine.time_budget import TimeBudget
from dayfly.errors import RunFailed
from dayfly.log.batch import Batch, Emitted
from dayfly.log.writer import Committed, LogWriter, Plan, Transition
from dayfly.protocol.events import AnyPayload
from dayfly.recovery import notice, sweep
from dayfly.recovery.actions import RecoveryActions
from dayfly.runs import resume
from dayfly.runs.begin import Begin
from dayfly.runs.end import End
from dayfly.runs.resume import OpenAttempt
from dayfly.runs.state import Ended, Held, read_state_by_lease
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.retry import retry_write
from dayfly.store.rows import LogRow
from dayfly.store.table import Action, Delete, Put, Table
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken, unconditional
from tests.simulation.weather import DEADLY, Fate


@contextmanager
def lease_deleted_before_the_post() -> Iterator[None]:
    """An ended run's lease goes first, then the end is posted."""
    commit = WebSocketBridge.commit

    async def hasty(
        self: WebSocketBridge, payload: AnyPayload, transition: Transition[Any], *, last: bool = False
    ) -> Any:
        done = await commit(self, payload, transition, last=last)
        if isinstance(transition, End):
            run = transition.run
            await retry_write(self._writer._table, Delete(keys.lease_key(run.user_id, run.run_id)))
        return done

    with replaced(WebSocketBridge, "commit", hasty):
        yield


@contextmanager
def end_not_posted_again() -> Iterator[None]:
    """Recovery drops the lease of an ended run without posting its end."""

    async def lazy(self: RecoveryActions, state: Ended) -> None:
        await self.run_writer.drop_lease(state.run)

    with replaced(RecoveryActions, "post_end", lazy):
        yield


@contextmanager
def retry_without_fence() -> Iterator[None]:
    """Recovery invokes a lost attempt again, as if it had not begun."""

    async def unfenced(self: RecoveryActions, state: Held, reason: RunFailed) -> None:
        ports = self.run_writer.ports
        later = replace(state.lease, due=ports.clock.now_ms() + 10_000)
        await retry_write(ports.table, Put(later))
        await self.run_writer.start_engine(state.run)

    with replaced(RecoveryActions, "resume", unfenced):
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
def apart(kind: type[OpenAttempt | Begin]) -> Iterator[None]:
    """What this transition writes beside its record is written after it."""
    plan_of = kind.plan
    append = LogWriter.append
    rest: dict[int, tuple[Action, ...]] = {}

    async def alone(self: Any, row: LogRow, batch: Batch) -> Plan[Any]:
        plan = await plan_of(self, row, batch)
        rest[id(self)] = tuple(plan.actions.values())
        return Plan({}, plan.result)

    async def then(self: LogWriter, items: tuple[Emitted, ...], transition: Transition[Any]) -> Committed[Any]:
        done = await append(self, items, transition)
        if isinstance(transition, kind):
            await retry_write(self._table, *rest.pop(id(transition)))
        return done

    with replaced(kind, "plan", alone), replaced(LogWriter, "append", then):
        yield


@contextmanager
def fence_apart() -> Iterator[None]:
    """The fence's record is written first, run and lease in another write."""
    with apart(OpenAttempt):
        yield


@contextmanager
def unconditional_fence() -> Iterator[None]:
    """A fence asks nothing of run and lease."""
    with replaced(resume, "Put", unconditional):
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

    async def trusting(recovery_actions: RecoveryActions, key: Key, *, now: int) -> None:
        table = recovery_actions.run_writer.ports.table
        if not key.sk.startswith(keys.LEASES):
            await look_after(recovery_actions, key, now=now)
        elif (state := await read_state_by_lease(table, key)) is not None:
            await recovery_actions.look_after(state)

    with replaced(sweep, "_look_after", trusting):
        yield


@contextmanager
def any_notice_is_its_own() -> Iterator[None]:
    """A notice resumes the run, whoever's failure it tells of."""

    async def yes(table: Table, state: Held, invocation_id: str) -> bool:
        return True

    with replaced(notice, "_was_its_engine", yes):
        yield


@contextmanager
def claim_apart() -> Iterator[None]:
    """An engine claims its lease in a write of its own, after its first record."""
    with apart(Begin):
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
    resumed = RecoveryActions.resume

    async def hesitant(self: RecoveryActions, state: Held, reason: RunFailed) -> None:
        await asyncio.sleep(6.0)
        await resumed(self, state, reason)

    with replaced(RecoveryActions, "resume", hesitant):
        yield


@contextmanager
def no_heartbeat() -> Iterator[None]:
    """A silent engine says nothing."""
    with replaced(Broadcast, "heartbeat", lambda self, **what: None):
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
    Broken(no_deadline, 4),
    Broken(lease_deleted_before_the_post, 23, fates=DEADLY),
    Broken(end_not_posted_again, 23, fates=DEADLY),
    Broken(retry_without_fence, 0, fates=DEADLY),
    Broken(unconditional_renewal, 0, fates={Fate.PAUSE}),
    Broken(no_renewal, 25),
    Broken(fence_apart, 0, fates=DEADLY, chances={"notice_late", "notice_twice", "sweep_twice"}),
    Broken(unconditional_fence, 58, fates={Fate.DIES_AFTER, Fate.SLOW}, chances={"notice_twice"}),
    Broken(frozen_engine_goes_on, 156, fates={Fate.PAUSE}),
    Broken(recovery_trusts_the_index, 36, chances={"index_invents", "index_lags"}),
    Broken(any_notice_is_its_own, 156, chances={"invocation_twice", "notice_late"}),
    Broken(slow_recovery, 3, fates=DEADLY),
    Broken(no_heartbeat, 5),
    Broken(claim_apart, 48, fates=DEADLY),
    Broken(doubtful_tool_runs_again, 53),
)
