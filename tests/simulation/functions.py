"""The functions of the stack, put together as their composition roots do it, on the ports of one actor."""

from typing import TYPE_CHECKING, Final

from dayfly.context.caller import Caller
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.attempt import refuse
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import AgentFailed, DayflyError, RunFailed
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.notice import Notice, handle_notice
from dayfly.recovery.sweep import sweep
from dayfly.router.router import Router
from dayfly.runs.invoker import EngineCall
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter
from tests.simulation.actors import Actor
from tests.simulation.agents import OneAgent, SimHost
from tests.simulation.gateway import Connection
from tests.simulation.ports import Line, NoMeter, SimInvoker, SimPoster, SimTable
from tests.simulation.sweeps import DueBefore

if TYPE_CHECKING:
    from tests.simulation.world import World

RESERVE_S: Final = 10.0
"""As in the engine function."""
LIMITS: Final = RunLimits(run_ms=70_000, approval_ms=40_000)
"""Short, so that schedules reach them."""


async def router(world: "World", actor: Actor, connection: Connection, body: str) -> None:
    """One frame."""
    line = Line(world, actor)
    user = connection.device.user
    caller = Caller(user_id=user, tenant_id=user, connection_id=connection.name, invocation_id=actor.name)
    await Router(ports=ports(line), replies=SimPoster(line)).handle(caller, body)


async def engine(world: "World", actor: Actor, call: EngineCall, *, lifetime_s: float) -> None:
    """One attempt of one run."""
    line = Line(world, actor)
    factory = ExecutionEngineFactory()
    factory.configure(
        ports=ports(line),
        agents=OneAgent(world, call.run_id),
        host=lambda: SimHost(world.truth),
        limits=LIMITS,
    )
    context = UserExecutionContext(
        ref=call.ref,
        request_id=call.request_id,
        invocation_id=actor.name,
        agent_name=call.agent_name,
        attempt=call.attempt,
        first_seq=call.first_seq,
        deadline=actor.monotonic() + lifetime_s - min(RESERVE_S, lifetime_s / 4),
    )
    try:
        made = factory.create(context)
    except DayflyError as error:
        reason = error if isinstance(error, RunFailed) else AgentFailed("The agent could not be made.")
        outcome = await refuse(run_writer(line), context, reason)
        world.truth.reached.add(f"refused: {outcome}")
        return
    async with made:
        report = await made.run()
    if report.stuck:
        actor.die()  # as `os._exit`


async def notice(
    world: "World", actor: Actor, call: EngineCall, *, invocation: str, expired: bool, timed_out: bool
) -> None:
    """The failure of one invocation."""
    line = Line(world, actor)
    told = Notice(
        ref=call.ref,
        first_seq=call.first_seq,
        invocation_id=invocation,
        expired=expired,
        timed_out=timed_out,
    )
    await handle_notice(RecoveryActions(run_writer(line)), told)


async def sweeping(world: "World", actor: Actor) -> None:
    """One sweep."""
    line = Line(world, actor)
    before = DueBefore(world, actor)
    await sweep(RecoveryActions(run_writer(line)))
    before.check()


def ports(line: Line) -> Ports:
    """The ports of one actor."""
    return Ports(
        table=SimTable(line), poster=SimPoster(line), invoker=SimInvoker(line), clock=line.actor, meter=NoMeter()
    )


def run_writer(line: Line) -> RunWriter:
    """A run writer, as router and recovery have one."""
    return RunWriter(ports=ports(line), invocation_id=line.actor.name)
