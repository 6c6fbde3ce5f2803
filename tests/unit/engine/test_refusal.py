"""Ending a run for which no engine can be made, and leaving alone one that has an engine."""

import asyncio

import pytest

from dayfly.engine.attempt import refuse
from dayfly.engine.engine import RunReport
from dayfly.errors import AgentFailed, UnknownAgent
from dayfly.log.event_payloads import SENTENCE_BYTES
from dayfly.metrics import Metric
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import LeaseState, LogRow, Outcome
from tests.fakes.agents import Programme, Round, asking, calculator, echo, silent
from tests.fakes.faulty_table import Call, Fault, Halt
from tests.fakes.walk import WAYS, meet, walk
from tests.fakes.world import World, assert_ended_once, assert_history


async def refused(world: World, call: EngineCall, *, invocation: str = "i-refused") -> Outcome | None:
    """What an invocation does that can make no engine for the call."""
    context = world.context(call, invocation=invocation)
    return await refuse(world.run_writer(invocation), context, UnknownAgent("There is no agent named 'x'."))


async def engine_of(world: World, call: EngineCall) -> RunReport:
    return await world.engine(call)


async def test_a_run_that_nobody_has_begun_is_ended(world: World) -> None:
    """With the reason's code, at exactly the attempt's first seq, and everybody is told."""
    call = await world.admitted("Hi")
    assert (await refused(world, call)) == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    end = world.log(call.run_id)[-1]
    assert (end["seq"], end["payload"]["code"]) == (call.first_seq, "unknown_agent")
    assert world.leases() == []
    assert world.meter.total(Metric.RUNS_FAILED) == 1
    await assert_history(world, call.thread_id)


async def test_the_run_behind_it_is_started(world: World) -> None:
    """As behind any end."""
    world.agents.scripts["assistant"] = echo
    call = await world.admitted("Hi")
    following = await world.queued(call)
    await refused(world, call)
    assert world.invoker.calls[-1].run_id == following
    world._served = 1
    assert [report.outcome for report in await world.serve()] == ["completed"]


async def test_a_run_that_a_living_engine_holds_is_left_alone(world: World) -> None:
    """Its invocation came twice, and the second found no agent: the first one's answer is not broken off."""
    world.agents.scripts["assistant"] = Programme(Round("One. Two.", think_s=4))
    call = await world.admitted("Hi")
    engine = world.starts(call)
    await asyncio.sleep(2)
    held, log = world.leases(), world.log(call.run_id)
    assert await refused(world, call) is None
    assert (world.leases(), world.log(call.run_id)) == (held, log)
    assert (await engine).outcome == "completed"
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_run_whose_engine_was_lost_is_recoverys(world: World) -> None:
    """A refusal that comes late, after the attempt was begun, ends nothing either: the log is not its own."""
    call = await world.killed(silent)
    log = world.log(call.run_id)
    assert await refused(world, call) is None
    assert world.log(call.run_id) == log
    world.agents.scripts["assistant"] = calculator
    await asyncio.sleep(61)
    await world.sweep()
    await world.recover()
    assert assert_ended_once(world, call.run_id) == "agent_completed"


async def test_a_run_that_waits_for_its_user_is_left_alone(world: World) -> None:
    """Its approval can still be given."""
    world.agents.scripts["assistant"] = asking("c-1")
    call = await world.admitted("Pay.")
    assert (await world.engine(call)).outcome == "waiting"
    assert await refused(world, call) is None
    assert [lease.state for lease in world.leases()] == [LeaseState.APPROVAL]
    assert (await world.approve(call.run_id, "c-1"))["type"] == "approved"


async def test_a_run_that_has_ended_is_left_alone(world: World) -> None:
    """Whether its end was posted or not."""
    call = await world.admitted()
    await world.engine(call)
    log = world.log(call.run_id)
    assert await refused(world, call) is None
    assert world.log(call.run_id) == log


async def test_an_earlier_attempt_ends_nothing(world: World) -> None:
    """An invocation that comes after the next attempt was opened: neither before nor after that one begins."""
    call = await world.killed(silent)
    await world.notice(call)
    later = world.invoker.calls[-1]
    assert later.attempt == 2
    assert await refused(world, call) is None
    assert (await refused(world, later)) == "failed"
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert await refused(world, call) is None


async def test_what_a_later_attempt_refuses_keeps_what_was_done(world: World) -> None:
    """The history has the rounds of the attempts before."""
    world.agents.scripts["assistant"] = Programme(Round("Let me see.", calls=("c-1",), tool_s=0.1), Round(think_s=100))
    call = await world.admitted("Go on.")
    engine = world.starts(call)
    await asyncio.sleep(5)
    await world.crash(engine)
    await world.notice(call)
    await refused(world, world.invoker.calls[-1])
    assert assert_ended_once(world, call.run_id) == "agent_error"
    messages = await assert_history(world, call.thread_id)
    assert [message.kind for message in messages] == ["user", "assistant", "tool"]


async def begun(world: World) -> EngineCall:
    world.agents.scripts["assistant"] = calculator
    return await world.admitted()


async def one_writer_alone(world: World, call: EngineCall) -> str:
    """The log is one writer's: an engine's answer whole, or the refusal and nothing else. Gives the end's type."""
    await world.recover()
    end = assert_ended_once(world, call.run_id)
    assert len({row.nonce for row in world.rows(LogRow) if row.first >= call.first_seq}) == 1
    assert world.log_types(call.run_id)[1] == ("agent_error" if end == "agent_error" else "agent_started")
    await assert_history(world, call.thread_id)
    return end


async def test_engine_and_refusal_of_one_attempt_never_both_write() -> None:
    """Wherever the one meets the other."""
    ends: set[str] = set()

    async def check(world: World, call: EngineCall) -> None:
        ends.add(await one_writer_alone(world, call))

    assert await meet(begin=begun, one=engine_of, other=refused, check=check) >= 4
    assert await meet(begin=begun, one=refused, other=engine_of, check=check) >= 4
    assert ends == {"agent_completed", "agent_error"}


async def test_a_refusal_that_is_held_up_loses_to_the_engine_that_begins_meanwhile() -> None:
    """At whichever of its calls it was held up, but for those behind its write."""
    ends: list[str] = []
    while True:
        world = World()
        call = await begun(world)
        at = len(world.table.calls) + len(ends)

        def hold_up(one: Call, at: int = at) -> float:
            return 10 if one.number == at else 0

        world.table.plan = hold_up
        refusal = asyncio.create_task(refused(world, call))
        await asyncio.sleep(5)
        if refusal.done():
            break
        await world.engine(call)
        await refusal
        ends.append(await one_writer_alone(world, call))
    lost = ends.index("agent_error")
    assert lost >= 4
    assert set(ends[:lost]) == {"agent_completed"}
    assert set(ends[lost:]) == {"agent_error"}


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_of_a_refusal_may_fail(way: Fault | Halt) -> None:
    """Whichever it is, the run ends once, with a gap-free log; where the refusal died, recovery sees to that."""

    async def check(world: World, call: EngineCall) -> None:
        await world.recover()
        assert_ended_once(world, call.run_id)
        assert world.leases() == []

    assert await walk(way, begin=begun, act=refused, check=check) >= 4


async def test_a_reason_of_any_size_is_cut(world: World) -> None:
    """The event keeps its size."""
    call = await world.admitted("Hi")
    await refuse(world.run_writer(), world.context(call), AgentFailed("\udc80" + "x" * 100_000))
    message = world.log(call.run_id)[-1]["payload"]["message"]
    assert len(message) <= SENTENCE_BYTES
    assert message.startswith("\ufffdx")
