"""Breaking what only shows when rows expire, reads are torn, clocks jump, crowds come or a day passes."""

from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from dayfly.context.caller import Caller
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery import broadcast, sockets
from dayfly.delivery.audience import Audience, read_audience
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.errors import RunFailed, Superseded
from dayfly.log.writer import Committed
from dayfly.protocol.events import AgentError
from dayfly.protocol.frames import Run
from dayfly.recovery import deletion
from dayfly.runs import admit, execution_factory
from dayfly.runs.admit import Found, look
from dayfly.runs.begin import read_run
from dayfly.runs.end import end_run
from dayfly.runs.writer import RunWriter
from dayfly.store.rows import LeaseRow, Row, RunRow, ThreadRow, ThreadState
from dayfly.store.table import Condition, Matches, Put, Table
from tests.simulation import functions
from tests.simulation.actors import Actor
from tests.simulation.dice import replaced
from tests.simulation.variants.variant import Broken


@contextmanager
def leases_expire() -> Iterator[None]:
    """A lease has a TTL: it may go once it is due."""
    LeaseRow.expires = property(lambda self: self.due // 1000)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del LeaseRow.expires  # type: ignore[attr-defined]


@contextmanager
def attached_for_twenty_minutes() -> Iterator[None]:
    """Who watches a thread expires while its socket still lives."""
    with replaced(sockets, "KEPT_S", 20 * 60):
        yield


@contextmanager
def remembered_while_the_row_stands() -> Iterator[None]:
    """A request id counts until TTL has removed it, whenever that is."""

    async def trusting(table: Table, caller: Caller, frame: Run) -> Found:
        found = await look(table, caller, frame)
        request = found.request and replace(found.request, expires=2**40)
        return replace(found, request=request)

    with replaced(execution_factory, "look", trusting):
        yield


@contextmanager
def remembered_for_an_hour() -> Iterator[None]:
    """A request id is forgotten long before 24 hours are over."""
    with replaced(admit, "REQUEST_KEPT_S", 3600):
        yield


@contextmanager
def thread_read_with_the_quota() -> Iterator[None]:
    """Admission asks for the quota's version and not for the thread's: every run that comes or goes moves both, so in a
    snapshot one would do."""

    def lax(row: Row, when: Condition | None = None) -> Put:
        if isinstance(row, ThreadRow) and isinstance(when, Matches):
            return Put(row, Matches(state=ThreadState.LIVE, title=row.title))
        return Put(row, when)

    with replaced(admit, "Put", lax):
        yield


@contextmanager
def time_by_the_wall_clock() -> Iterator[None]:
    """How much time has passed is told by the wall clock."""
    with replaced(Actor, "monotonic", lambda self: self.now_ms() / 1000):
        yield


@contextmanager
def gone_sockets_count() -> Iterator[None]:
    """Sockets that are gone keep their places: nobody is sent anything in their stead."""

    async def first(table: Table, *, user_id: str, thread_id: str, gone: Set[str] = frozenset()) -> Audience:
        return replace(await read_audience(table, user_id=user_id, thread_id=thread_id), more=False)

    with replaced(broadcast, "read_audience", first):
        yield


@contextmanager
def anybody_refuses() -> Iterator[None]:
    """An invocation that can make no engine ends the run, whoever holds it."""

    async def rude(run_writer: RunWriter, context: UserExecutionContext, reason: RunFailed) -> None:
        payload = AgentError(code=reason.code, message=str(reason), retryable=reason.retryable)
        with suppress(Superseded):
            facts = await read_run(run_writer.ports.table, context)
            await end_run(run_writer, facts.run, facts.lease, payload)

    with replaced(functions, "refuse", rude):
        yield


@contextmanager
def end_posted_again_once() -> Iterator[None]:
    """Recovery posts an end once more, and lets it go then."""
    post_again = RunWriter.post_again

    async def once(self: RunWriter, run: RunRow, tail: Committed[object], *, give_up: bool = False) -> None:
        await post_again(self, run, tail, give_up=True)

    with replaced(RunWriter, "post_again", once):
        yield


@contextmanager
def deletion_leaves_the_queue() -> Iterator[None]:
    """A deletion does not end what waits in the thread's queue."""

    async def nothing(run_writer: RunWriter, thread: ThreadRow) -> None:
        pass

    with replaced(deletion, "cancel_queued", nothing):
        yield


@contextmanager
def bridge_stays_open() -> Iterator[None]:
    """After the run's last event more is taken."""
    put = WebSocketBridge._put

    def open_again(self: WebSocketBridge, waiting: object) -> None:
        self._ended = False
        put(self, waiting)  # type: ignore[arg-type]

    with replaced(WebSocketBridge, "_put", open_again):
        yield


ALL: Final = (
    Broken(leases_expire, 5, chances={"ttl"}),
    Broken(attached_for_twenty_minutes, 156, chances={"ttl", "hours"}),
    Broken(remembered_while_the_row_stands, 3, chances={"hours"}),
    Broken(remembered_for_an_hour, 0, chances={"hours"}),
    Broken(thread_read_with_the_quota, 158, chances={"torn_reads"}, deeds={"run_more", "run_twice"}),
    Broken(time_by_the_wall_clock, 5, chances={"clock_steps"}),
    Broken(gone_sockets_count, 65, chances={"crowd"}, deeds={"flap", "run_more", "run"}),
    Broken(anybody_refuses, 29, chances={"uninstalled", "invocation_twice"}),
    Broken(end_posted_again_once, 9, chances={"stuck_long"}, deeds={"stick", "run"}),
    Broken(deletion_leaves_the_queue, 11, chances={"half_forgotten"}),
    Broken(bridge_stays_open, 56, deeds={"cancel", "run"}),
)
