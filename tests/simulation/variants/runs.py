"""Breaking admission, queues, endings, approvals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from dayfly.errors import ApprovalClosed
from dayfly.log.messages import Decision
from dayfly.recovery import actions
from dayfly.router import cancel
from dayfly.router.request import Request
from dayfly.runs import admit, approval, end, queue
from dayfly.runs import cancel as runs_cancel
from dayfly.runs.lease import first_lease
from dayfly.runs.lookup import live_run
from dayfly.runs.writer import RunWriter
from dayfly.store import keys
from dayfly.store.keys import Key
from dayfly.store.retry import retry_write
from dayfly.store.rows import LeaseRow, QuotaRow, RunRow, ThreadRow
from dayfly.store.table import Action, Delete, Put, Table
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken, without


@contextmanager
def request_runs_twice() -> Iterator[None]:
    """A request id is not remembered."""
    request_key = keys.request_key
    asked: list[str] = []

    def other(user: str, request: str) -> Key:
        asked.append(request)
        return request_key(user, f"{request}-{len(asked)}")

    with replaced(keys, "request_key", other):
        yield


@contextmanager
def ending_without_the_version() -> Iterator[None]:
    """An ending writes over whatever became of thread and quota meanwhile."""
    with replaced(end, "Matches", without("version")):
        yield


@contextmanager
def admission_without_the_version() -> Iterator[None]:
    """An admission writes over whatever became of thread and quota meanwhile."""
    with replaced(admit, "Matches", without("version")):
        yield


@contextmanager
def release_apart_from_the_next() -> Iterator[None]:
    """One transaction releases the thread, another makes the next run active."""

    def released(thread: ThreadRow) -> ThreadRow:
        return replace(thread, active_run=None)

    async def then(run_writer: RunWriter, after: end.ThreadAfter) -> None:
        if not after.thread.queue:
            return
        ports = run_writer.ports
        thread = replace(queue.advanced(after.thread), version=after.thread.version + 1)
        run = await ports.table.get(keys.run_key(thread.user_id, thread.thread_id, after.thread.queue[0]), RunRow)
        assert run is not None
        await retry_write(ports.table, Put(thread), Put(first_lease(run, now=ports.clock.now_ms())))
        await run_writer.start_engine(run)

    with replaced(end, "advanced", released), replaced(end, "_start_next", then):
        yield


@contextmanager
def quota_is_kept() -> Iterator[None]:
    """An ended run still counts."""

    def kept(quota: QuotaRow, run: str) -> QuotaRow:
        return replace(quota, version=quota.version + 1)

    with replaced(end, "given_back", kept):
        yield


@contextmanager
def interrupt_at_the_end() -> Iterator[None]:
    """An interrupt queues behind the others."""
    with replaced(admit, "interrupting", queue.enqueued):
        yield


@contextmanager
def late_mark_stays() -> Iterator[None]:
    """A cancel that comes after the end leaves its mark."""

    async def careless(table: Table, *actions: Action, token: str | None = None) -> None:
        if not any(isinstance(action, Delete) for action in actions):
            await retry_write(table, *actions, token=token)

    with replaced(runs_cancel, "retry_write", careless):
        yield


@contextmanager
def each_answer_opens() -> Iterator[None]:
    """An answer is taken whether or not the run still waits for it, and opens another attempt."""

    async def any_lease(run_writer: RunWriter, run: RunRow, call_id: str) -> LeaseRow:
        lease = await run_writer.ports.table.get(keys.lease_key(run.user_id, run.run_id), LeaseRow)
        if lease is None:
            raise ApprovalClosed("The run has ended.")
        return lease

    with replaced(approval, "_open_lease", any_lease):
        yield


@contextmanager
def expiry_approves() -> Iterator[None]:
    """What is not answered in time counts as approved."""

    def generous(call_id: str, *, approved: bool, reason: str = "") -> Decision:
        return Decision(call_id, approved=True, reason=reason)

    with replaced(actions, "Decision", generous):
        yield


@contextmanager
def first_answer_for_all() -> Iterator[None]:
    """The first answer opens the next attempt, though other calls still wait."""

    async def one_call(table: Table, *, user_id: str, run_id: str) -> RunRow:
        found = await live_run(table, user_id=user_id, run_id=run_id)
        return replace(found, pending=found.pending[:1])

    with replaced(approval, "live_run", one_call):
        yield


@contextmanager
def cancelled_request_is_admitted() -> Iterator[None]:
    """A request that was cancelled before it came runs all the same."""

    async def unbarred(request: Request, request_id: str) -> str | None:
        return None

    with replaced(cancel, "_run_of_request", unbarred):
        yield


ALL: Final = (
    Broken(request_runs_twice, 1, deeds={"run_twice"}),
    Broken(ending_without_the_version, 68, deeds={"run_more", "run"}),
    Broken(admission_without_the_version, 138, deeds={"run_more", "run"}),
    Broken(release_apart_from_the_next, 2, deeds={"run_more"}),
    Broken(quota_is_kept, 0),
    Broken(interrupt_at_the_end, 4, deeds={"run_more"}),
    Broken(late_mark_stays, 4, deeds={"cancel"}),
    Broken(each_answer_opens, 14),
    Broken(expiry_approves, 11),
    Broken(first_answer_for_all, 51),
    Broken(cancelled_request_is_admitted, 1, deeds={"cancel_request"}),
)
