"""A whole backend in memory and in virtual time: router, engines, recovery, and the clients' sockets."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dayfly.context.caller import Caller
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.sockets import Connections
from dayfly.engine.engine import RunReport
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.time_budget import RunLimits
from dayfly.history.reader import newest_pieces
from dayfly.log.messages import AssistantSaid, Message, ToolAnswered, UserSaid
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.notice import Notice, handle_notice
from dayfly.recovery.sweep import sweep
from dayfly.router.router import Router
from dayfly.runs.invoker import EngineCall
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter
from dayfly.store.memory import MemoryTable
from dayfly.store.rows import LeaseRow, LeaseState, LogRow, QuotaRow, Row, RunRow, ThreadRow
from dayfly.store.table import Table
from tests.fakes.agents import Script, ScriptedAgents, calculator, echo
from tests.fakes.faulty_table import Call, Fault, FaultyTable, Halt
from tests.fakes.hosts import InlineHost
from tests.fakes.ports import MemoryInvoker, MemoryMeter
from tests.fakes.sockets import JsonObject, Sockets
from tests.fakes.virtual_time import LoopClock

KindT = TypeVar("KindT", bound=Row)
LIFETIME_S = 840.0


def _agents() -> ScriptedAgents:
    return ScriptedAgents(assistant=calculator, echo=echo)


@dataclass
class World:
    """Frames come from `alice` on connection `a1`, unless a test says otherwise."""

    clock: LoopClock = field(default_factory=LoopClock)
    sockets: Sockets = field(default_factory=Sockets)
    invoker: MemoryInvoker = field(default_factory=MemoryInvoker)
    meter: MemoryMeter = field(default_factory=MemoryMeter)
    agents: ScriptedAgents = field(default_factory=_agents)
    limits: RunLimits = field(default_factory=RunLimits)

    claims: str | None = None
    """Of the tokens with which frames are sent from now on."""

    def __post_init__(self) -> None:
        self.memory = MemoryTable(clock=self.clock)
        self.table = FaultyTable(self.memory)
        self.router = Router(ports=self.ports, replies=self.sockets)
        self.engines = self.factory(self.table)
        self._ids = 0
        self._served = 0

    def factory(self, table: Table) -> ExecutionEngineFactory:
        """A factory whose engines reach the backend's rows through this table."""
        engines = ExecutionEngineFactory()
        engines.configure(ports=self.ports_over(table), agents=self.agents, host=InlineHost, limits=self.limits)
        return engines

    @property
    def ports(self) -> Ports:
        """The ports of router and recovery, with the table as it is now."""
        return self.ports_over(self.table)

    def ports_over(self, table: Table) -> Ports:
        """The ports, with this table."""
        return Ports(table=table, poster=self.sockets, invoker=self.invoker, clock=self.clock, meter=self.meter)

    # The client's side: frames in, frames out.

    async def send(self, body: str | JsonObject, *, user: str = "u-alice", connection: str = "a1") -> JsonObject:
        """Sends a frame through the router and gives the reply to it, which is the last frame that has its id."""
        sent = body if isinstance(body, str) else json.dumps(body)
        before = len(self.sockets.frames[connection])
        await self.router.handle(caller(user, connection, claims=self.claims), sent)
        unasked = {"agent_heartbeat", "thread_changed"}
        replies = [f for f in self.sockets.received(connection)[before:] if "seq" not in f and f["type"] not in unasked]
        assert len(replies) == 1, replies
        return replies[0]

    async def ask(self, action: str, *, user: str = "u-alice", connection: str = "a1", **fields: Any) -> JsonObject:
        """Sends an action with an id of its own, unless one is given."""
        self._ids += 1
        frame = {"action": action, "id": f"q-{self._ids}", **fields}
        return await self.send(frame, user=user, connection=connection)

    async def admitted(self, text: str = "What is 17 * 23?", **fields: Any) -> EngineCall:
        """A run that the router has admitted, as its engine is told of it."""
        reply = await self.ask("run", text=text, **fields)
        assert reply["type"] == "accepted", reply
        return self.invoker.calls[-1]

    async def queued(self, call: EngineCall, text: str = "And this?", **fields: Any) -> str:
        """The id of a run that was admitted behind this one."""
        reply = await self.ask("run", text=text, thread_id=call.thread_id, **fields)
        assert (reply["type"], reply["status"]) == ("accepted", "queued"), reply
        return str(reply["run_id"])

    async def approve(
        self, run: str, tool_call_id: str, *, approved: bool = True, connection: str = "a1", **fields: Any
    ) -> JsonObject:
        """The reply to the user's answer on a tool call."""
        return await self.ask(
            "approve", run_id=run, tool_call_id=tool_call_id, approved=approved, connection=connection, **fields
        )

    async def connect(self, connection: str, *, user: str = "u-alice") -> None:
        """Opens a socket, as `$connect` does."""
        connections = Connections(table=self.table, clock=self.clock)
        await connections.opened(connection_id=connection, user_id=user, tenant_id=user)

    # The backend's side.

    async def serve(self, *, lifetime_s: float = LIFETIME_S) -> list[RunReport]:
        """Runs an engine for each invocation that was asked for and has had none by this, until none is left."""
        reports: list[RunReport] = []
        while self._served < len(self.invoker.calls):
            call = self.invoker.calls[self._served]
            self._served += 1
            reports.append(await self.engine(call, invocation=f"i-served-{self._served}", lifetime_s=lifetime_s))
        return reports

    def starts(
        self, call: EngineCall, *, invocation: str = "i-1", lifetime_s: float = LIFETIME_S
    ) -> asyncio.Task[RunReport]:
        """An engine at work."""
        return asyncio.create_task(self.engine(call, invocation=invocation, lifetime_s=lifetime_s))

    async def crash(self, process: asyncio.Task[Any]) -> None:
        """Ends a process as a kill does: from now on it writes nothing, not even on its way out."""
        plan, self.table.plan = self.table.plan, lambda call: Fault.REFUSED
        process.cancel()
        await asyncio.gather(process, return_exceptions=True)
        self.table.plan = plan

    async def killed(self, script: Script, *, after_s: float = 2, invocation: str = "i-1", **fields: Any) -> EngineCall:
        """A run whose engine's process has died after so many seconds."""
        self.agents.scripts["assistant"] = script
        call = await self.admitted(**fields)
        engine = self.starts(call, invocation=invocation)
        await asyncio.sleep(after_s)
        assert not engine.done()
        await self.crash(engine)
        return call

    async def dies(self, work: Coroutine[Any, Any, Any], when: Callable[[Call], bool], *, halt: Halt) -> bool:
        """Does some work in a process that dies at the first call of the table for which `when` holds. Says whether it
        came to that."""
        self.table.halted.clear()
        self.table.plan = lambda call: halt if when(call) else None
        process = asyncio.create_task(work)
        halted = asyncio.create_task(self.table.halted.wait())
        await asyncio.wait((process, halted), return_when=asyncio.FIRST_COMPLETED)
        died = self.table.halted.is_set()
        if died:
            await self.crash(process)
        halted.cancel()
        self.table.plan = lambda call: None
        if not died:
            await process
        return died

    async def dies_at(self, number: int, work: Coroutine[Any, Any, Any], *, halt: Halt = Halt.BEFORE) -> bool:
        """As `dies`, at the call with this number, from 0."""
        at = len(self.table.calls) + number
        return await self.dies(work, lambda call: call.number >= at, halt=halt)

    async def engine(
        self,
        call: EngineCall,
        *,
        invocation: str = "i-1",
        lifetime_s: float = LIFETIME_S,
        factory: ExecutionEngineFactory | None = None,
    ) -> RunReport:
        """Runs an engine for the call, as its function does."""
        async with (factory or self.engines).create(
            self.context(call, invocation=invocation, lifetime_s=lifetime_s)
        ) as engine:
            return await engine.run()

    def context(
        self, call: EngineCall, *, invocation: str = "i-1", lifetime_s: float = LIFETIME_S
    ) -> UserExecutionContext:
        """What the engine function makes of a call."""
        return UserExecutionContext(
            ref=call.ref,
            request_id=call.request_id,
            invocation_id=invocation,
            agent_name=call.agent_name,
            attempt=call.attempt,
            first_seq=call.first_seq,
            deadline=self.clock.monotonic() + lifetime_s,
        )

    def run_writer(self, invocation: str = "i-other") -> RunWriter:
        """A run writer, as router and recovery have one."""
        return RunWriter(ports=self.ports, invocation_id=invocation)

    def recovery_actions(self, invocation: str = "i-recovery") -> RecoveryActions:
        """The actions of recovery, for one invocation."""
        return RecoveryActions(self.run_writer(invocation))

    async def recover(self, *, minutes: int = 10) -> None:
        """Engines as they are asked for, and a sweep a minute, until no lease is left but of runs that wait for their
        user."""
        for _ in range(minutes):
            await self.serve()
            if all(lease.state == LeaseState.APPROVAL for lease in self.leases()):
                return
            await asyncio.sleep(60.001)
            await self.sweep()
        raise AssertionError(self.leases())

    async def sweep(self) -> int:
        """One sweep."""
        return await sweep(self.recovery_actions())

    async def notice(
        self, call: EngineCall, *, invocation: str = "i-1", expired: bool = False, timed_out: bool = False
    ) -> None:
        """The notice that an invocation has failed."""
        notice = Notice(
            ref=call.ref,
            first_seq=call.first_seq,
            invocation_id=invocation,
            expired=expired,
            timed_out=timed_out,
        )
        await handle_notice(self.recovery_actions(), notice)

    # What the table holds.

    def rows(self, kind: type[KindT]) -> list[KindT]:
        """All rows of a kind, by key."""
        return [row for _, row in sorted(self.memory.rows.items()) if isinstance(row, kind)]

    def log(self, run: str) -> list[JsonObject]:
        """The run's events as the table holds them."""
        return [json.loads(text) for row in self.rows(LogRow) if row.run_id == run for text in row.events]

    def log_types(self, run: str) -> list[str]:
        """The types of the run's events."""
        return [event["type"] for event in self.log(run)]

    def thread(self, thread: str) -> ThreadRow:
        """The thread as the table holds it."""
        return next(row for row in self.rows(ThreadRow) if row.thread_id == thread)

    def run(self, run: str) -> RunRow:
        """The run as the table holds it."""
        return next(row for row in self.rows(RunRow) if row.run_id == run)

    def leases(self) -> list[LeaseRow]:
        """All leases."""
        return self.rows(LeaseRow)


def caller(user: str = "u-alice", connection: str = "a1", *, claims: str | None = None) -> Caller:
    """Who sends a frame."""
    return Caller(user_id=user, tenant_id=user, connection_id=connection, invocation_id="i-router", claims=claims)


TERMINAL = {"agent_completed", "agent_error", "agent_cancelled"}


def assert_ended_once(world: World, run: str, *, connection: str | None = "a1") -> str:
    """The log is gap-free and closes with its one terminal event, the thread is free, the quota is given back, and
    whoever watched was sent the end. Gives the terminal event's type."""
    log = world.log(run)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    ends = [event["type"] for event in log if event["type"] in TERMINAL]
    assert len(ends) == 1
    assert log[-1]["type"] == ends[0]
    row = world.run(run)
    thread = world.thread(row.thread_id)
    assert run not in (thread.active_run, *thread.queue)
    assert all(run not in quota.active for quota in world.rows(QuotaRow))
    if connection is not None:
        seen = {(e["run_id"], e["seq"]): e for e in world.sockets.events(connection)}
        assert seen[(run, log[-1]["seq"])] == log[-1]
    return str(ends[0])


async def assert_history(world: World, thread: str) -> list[Message]:
    """Each ended run stands in the thread's history once, in the order in which they ended, with its question first and
    exactly one result for each tool call. Gives all messages, oldest first."""
    pieces = [piece async for piece in newest_pieces(world.table, world.thread(thread), limit=100)][::-1]
    assert [row.place for row, _ in pieces] == list(range(1, len(pieces) + 1))
    assert len({row.run_id for row, _ in pieces}) == len(pieces)
    for row, messages in pieces:
        assert messages[0] == UserSaid(world.run(row.run_id).text)
        calls = [call.call_id for message in messages if isinstance(message, AssistantSaid) for call in message.calls]
        answers = [message.call_id for message in messages if isinstance(message, ToolAnswered)]
        assert sorted(answers) == sorted(calls)
    return [message for _, messages in pieces for message in messages]
