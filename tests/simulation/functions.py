"""The functions of the stack, put together as their composition roots do it, on the ports of one actor."""

from typing import TYPE_CHECKING, Final

from dayfly.admission.caller import Caller
from dayfly.admission.execution_factory import ExecutionFactory
from dayfly.admission.router import Router
from dayfly.admission.services import Services
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.limits import RunLimits
from dayfly.engine.refusal import refuse
from dayfly.errors import AgentFailed, DayflyError, RunFailed
from dayfly.ports.invoker import EngineCall
from dayfly.publisher.outside import Outside
from dayfly.recovery.caretaker import Caretaker
from dayfly.recovery.notice import Notice, handle_notice
from dayfly.recovery.sweep import sweep
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
    poster = SimPoster(line)
    services = Services(
        table=SimTable(line), poster=poster, replies=poster, invoker=SimInvoker(line), clock=actor, meter=NoMeter()
    )
    user = connection.device.user
    caller = Caller(user=user, tenant=user, connection=connection.name, invocation=actor.name)
    await Router(services, ExecutionFactory(services)).handle(caller, body)


async def engine(world: "World", actor: Actor, call: EngineCall, *, lifetime_s: float) -> None:
    """One attempt of one run."""
    line = Line(world, actor)
    factory = ExecutionEngineFactory()
    factory.configure(
        table=SimTable(line),
        poster=SimPoster(line),
        invoker=SimInvoker(line),
        agents=OneAgent(world, call.run),
        clock=actor,
        meter=NoMeter(),
        host=lambda: SimHost(world.truth),
        limits=LIMITS,
    )
    context = UserExecutionContext(
        user_id=call.user,
        tenant_id=call.tenant,
        thread_id=call.thread,
        run_id=call.run,
        request_id=call.request,
        invocation_id=actor.name,
        agent_name=call.agent,
        attempt=call.attempt,
        first_seq=call.first_seq,
        deadline=actor.monotonic() + lifetime_s - min(RESERVE_S, lifetime_s / 4),
    )
    try:
        made = factory.create(context)
    except DayflyError as error:
        reason = error if isinstance(error, RunFailed) else AgentFailed("The agent could not be made.")
        report = await refuse(outside(line), context, reason)
        world.truth.reached.add(f"refused: {report.outcome}")
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
        user=call.user,
        thread=call.thread,
        run=call.run,
        first_seq=call.first_seq,
        invocation=invocation,
        expired=expired,
        timed_out=timed_out,
    )
    await handle_notice(SimTable(line), Caretaker(outside(line)), told)


async def sweeping(world: "World", actor: Actor) -> None:
    """One sweep."""
    line = Line(world, actor)
    before = DueBefore(world, actor)
    await sweep(SimTable(line), Caretaker(outside(line)), actor, NoMeter())
    before.check()


def outside(line: Line) -> Outside:
    """A voice for runs from outside their engines."""
    return Outside(
        table=SimTable(line),
        poster=SimPoster(line),
        invoker=SimInvoker(line),
        clock=line.actor,
        meter=NoMeter(),
        invocation=line.actor.name,
    )
