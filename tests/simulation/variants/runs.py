"""Breaking admission, queues, endings, approvals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from dayfly.admission import approving, cancelling, entry
from dayfly.admission.caller import Caller
from dayfly.admission.lookup import live_run
from dayfly.admission.services import Services
from dayfly.errors import ApprovalClosed
from dayfly.ports.table import Action, Delete, Put, Table
from dayfly.publisher import closing, ending, finish
from dayfly.publisher.ending import Ending
from dayfly.publisher.outside import Outside
from dayfly.publisher.settle import settle
from dayfly.publisher.starting import start_engine
from dayfly.recovery import caretaker
from dayfly.runlog import keys, queueing
from dayfly.runlog.keys import Key
from dayfly.runlog.leasing import first_lease
from dayfly.runlog.messages import Decision
from dayfly.runlog.rows import LeaseRow, QuotaRow, RunRow, ThreadRow
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
    with replaced(ending, "Matches", without("version")):
        yield


@contextmanager
def admission_without_the_version() -> Iterator[None]:
    """An admission writes over whatever became of thread and quota meanwhile."""
    with replaced(entry, "Matches", without("version")):
        yield


@contextmanager
def release_apart_from_the_next() -> Iterator[None]:
    """One transaction releases the thread, another makes the next run active."""

    def released(thread: ThreadRow) -> ThreadRow:
        return replace(thread, active_run=None)

    async def then(outside: Outside, done: Ending) -> None:
        ended = done.ended
        if ended is None or not ended.thread.queue:
            return
        thread = replace(queueing.advanced(ended.thread), version=ended.thread.version + 1)
        run = await outside.table.get(keys.run_key(thread.user, thread.thread, ended.thread.queue[0]), RunRow)
        assert run is not None
        await settle(outside.table, Put(thread), Put(first_lease(run, now=outside.clock.now_ms())))
        await start_engine(outside.invoker, run)

    with (
        replaced(ending, "advanced", released),
        replaced(finish, "start_next", then),
        replaced(closing, "start_next", then),
    ):
        yield


@contextmanager
def quota_is_kept() -> Iterator[None]:
    """An ended run still counts."""

    def kept(quota: QuotaRow, run: str) -> QuotaRow:
        return replace(quota, version=quota.version + 1)

    with replaced(ending, "_given_back", kept):
        yield


@contextmanager
def interrupt_at_the_end() -> Iterator[None]:
    """An interrupt queues behind the others."""
    with replaced(entry, "interrupting", queueing.enqueued):
        yield


@contextmanager
def late_mark_stays() -> Iterator[None]:
    """A cancel that comes after the end leaves its mark."""

    async def careless(table: Table, *actions: Action, token: str | None = None) -> None:
        if not any(isinstance(action, Delete) for action in actions):
            await settle(table, *actions, token=token)

    with replaced(cancelling, "settle", careless):
        yield


@contextmanager
def each_answer_opens() -> Iterator[None]:
    """An answer is taken whether or not the run still waits for it, and opens another attempt."""

    async def any_lease(services: Services, run: RunRow, call_id: str) -> LeaseRow:
        lease = await services.table.get(keys.lease_key(run.user, run.run), LeaseRow)
        if lease is None:
            raise ApprovalClosed("The run has ended.")
        return lease

    with replaced(approving, "_open_lease", any_lease):
        yield


@contextmanager
def expiry_approves() -> Iterator[None]:
    """What is not answered in time counts as approved."""

    def generous(call_id: str, *, approved: bool, reason: str = "") -> Decision:
        return Decision(call_id, approved=True, reason=reason)

    with replaced(caretaker, "Decision", generous):
        yield


@contextmanager
def first_answer_for_all() -> Iterator[None]:
    """The first answer opens the next attempt, though other calls still wait."""

    async def one_call(table: Table, *, user: str, run: str) -> RunRow:
        found = await live_run(table, user=user, run=run)
        return replace(found, pending=found.pending[:1])

    with replaced(approving, "live_run", one_call):
        yield


@contextmanager
def cancelled_request_is_admitted() -> Iterator[None]:
    """A request that was cancelled before it came runs all the same."""

    async def unbarred(services: Services, caller: Caller, request: str) -> str | None:
        return None

    with replaced(cancelling, "_run_of_request", unbarred):
        yield


ALL: Final = (
    Broken(request_runs_twice, 0, deeds={"run_twice"}),
    Broken(ending_without_the_version, 46, deeds={"run_more", "run"}),
    Broken(admission_without_the_version, 20, deeds={"run_more", "run"}),
    Broken(release_apart_from_the_next, 1, deeds={"run_more"}),
    Broken(quota_is_kept, 0),
    Broken(interrupt_at_the_end, 25, deeds={"run_more"}),
    Broken(late_mark_stays, 3, deeds={"cancel"}),
    Broken(each_answer_opens, 7),
    Broken(expiry_approves, 11),
    Broken(first_answer_for_all, 51),
    Broken(cancelled_request_is_admitted, 1, deeds={"cancel_request"}),
)
