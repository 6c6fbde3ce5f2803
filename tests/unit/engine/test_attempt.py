"""One run over several engines: handed over, cut, resumed, bounded."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dayfly.agents.sdk.protocol import AgentEvent, Answered, Delta, Responded, Thinking, Turn
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import PortError, Unsettled
from dayfly.log.messages import AssistantSaid
from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import LogRow, RunRow
from tests.fakes.agents import Programme, Round
from tests.fakes.faulty_table import Call, Fault, Halt, rows_of
from tests.fakes.sockets import JsonObject
from tests.fakes.walk import WAYS, walk
from tests.fakes.world import World, assert_ended_once, assert_history

TOOLS = (
    Round("One. ", calls=("c-1",), think_s=20, tool_s=5),
    Round("Two. ", calls=("c-2",), think_s=20, tool_s=5),
    Round("Done.", think_s=20),
)
"""An agent of 70 s, whose longest step takes 20."""


async def admitted(world: World, *rounds: Round, idempotent: bool = False) -> tuple[EngineCall, Programme]:
    programme = Programme(*rounds, idempotent=idempotent)
    world.agents.scripts["assistant"] = programme
    return await world.admitted(), programme


def hands_over(call: Call) -> bool:
    return any(row.attempt > 1 for row in rows_of(call, RunRow))


def resumed(world: World, run: str) -> list[JsonObject]:
    """The payloads of the run's `agent_resumed`."""
    return [event["payload"] for event in world.log(run) if event["type"] == "agent_resumed"]


async def test_a_run_is_handed_over_between_two_steps(world: World) -> None:
    """Before a step that may not fit, another engine takes over at the next seq: nothing is asked, said or done twice,
    nothing is void, and the client sees one run."""
    call, programme = await admitted(world, *TOOLS)
    first, second = await world.serve(lifetime_s=60)
    assert (first.outcome, second.outcome) == ("handed_over", "completed")
    assert resumed(world, call.run_id) == [{"attempt": 2, "reason": "handed_over"}]
    assert world.clock.monotonic() == pytest.approx(70, abs=0.1)
    assert programme.asked == [0, 1, 2]
    assert programme.ran == ["c-1", "c-2"]
    assert [turn.context.attempt for turn in programme.turns] == [1, 2]
    assert programme.turns[1].in_doubt == frozenset()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert world.log_types(call.run_id).count("agent_started") == 1
    assert world.sockets.events("a1") == world.log(call.run_id)
    messages = await assert_history(world, call.thread_id)
    assert [m.text for m in messages if isinstance(m, AssistantSaid)] == ["One. ", "Two. ", "Done."]


async def test_usage_and_time_are_summed_over_all_engines(world: World) -> None:
    """Three responses are three requests, whoever asked for them; the time is that of both engines."""
    call, _ = await admitted(world, *TOOLS)
    await world.serve(lifetime_s=60)
    payload = world.log(call.run_id)[-1]["payload"]
    assert payload["usage"] == {
        "requests": 3,
        "input_tokens": 30,
        "output_tokens": 3,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
    }
    assert payload["execution_time_ms"] == pytest.approx(70_000, abs=100)


async def test_a_hand_over_is_one_transaction(world: World) -> None:
    """Record, attempt and waiting lease are written together; no resume is counted, but the time that was spent."""
    call, _ = await admitted(world, *TOOLS)
    await world.engine(call, lifetime_s=60)
    row, (lease,) = world.run(call.run_id), world.leases()
    assert (row.attempt, row.resumes, row.cut_after) == (2, 0, 0)
    assert row.first_seq == len(world.log(call.run_id)) + 1
    assert row.spent_ms == pytest.approx(45_000, abs=100)
    assert (lease.state, lease.attempt, lease.first_seq) == ("waiting", 2, row.first_seq)
    assert [len(one.actions) for one in world.table.calls if hands_over(one)] == [3]
    assert [(each.attempt, each.first_seq) for each in world.invoker.calls] == [(1, 2), (2, row.first_seq)]


async def test_a_step_that_is_cut_is_done_again(world: World) -> None:
    """At its deadline an engine breaks off; what the step has said is void, and the next engine asks the model anew."""
    call, programme = await admitted(world, Round("One. ", calls=("c-1",)), Round("A long answer.", think_s=70))
    (first,) = [await world.engine(call, lifetime_s=60)]
    assert first.outcome == "handed_over"
    completed = next(event["seq"] for event in world.log(call.run_id) if event["type"] == "tool_completed")
    assert resumed(world, call.run_id) == [{"attempt": 2, "reason": "handed_over", "discard_after": completed}]
    assert world.run(call.run_id).cut_after == completed
    await world.serve()
    assert programme.asked == [0, 1, 1]
    assert programme.ran == ["c-1"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    messages = await assert_history(world, call.thread_id)
    assert [m.text for m in messages if isinstance(m, AssistantSaid)] == ["One. ", "A long answer."]
    assert world.log(call.run_id)[-1]["payload"]["usage"]["requests"] == 2
    assert world.log(call.run_id)[-1]["payload"]["execution_time_ms"] == pytest.approx(130_000, abs=100)


async def test_a_step_that_is_cut_twice_ends_the_run(world: World) -> None:
    """It fits into no engine: `step_too_long`, and no third engine. What was said stays void or is kept as said."""
    call, _ = await admitted(world, Round("One. ", calls=("c-1",)), Round("A long answer.", think_s=70))
    reports = await world.serve(lifetime_s=60)
    assert [report.outcome for report in reports] == ["handed_over", "failed"]
    payload = world.log(call.run_id)[-1]["payload"]
    assert (payload["code"], payload["retryable"]) == ("step_too_long", False)
    assert assert_ended_once(world, call.run_id) == "agent_error"
    assert len(world.invoker.calls) == 2


async def test_two_different_steps_may_be_cut(world: World) -> None:
    """Where there was progress between, a second cut is a first one."""
    call, programme = await admitted(
        world, Round("One. ", calls=("c-1",)), Round("Two. ", calls=("c-2",), think_s=70), Round("Done.", think_s=70)
    )
    for lifetime_s, outcome in ((60, "handed_over"), (100, "handed_over"), (60, "handed_over"), (100, "completed")):
        report = await world.engine(world.invoker.calls[-1], lifetime_s=lifetime_s)
        assert report.outcome == outcome
    assert ["discard_after" in payload for payload in resumed(world, call.run_id)] == [True, False, True]
    assert programme.asked == [0, 1, 1, 2, 2]
    assert programme.ran == ["c-1", "c-2"]
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert world.log(call.run_id)[-1]["payload"]["execution_time_ms"] == pytest.approx(260_000, abs=100)


async def test_what_waits_for_the_log_when_a_step_is_cut_is_not_written(world: World) -> None:
    """Text of the last moment, and a response that no event has followed: neither goes with the hand-over, since the
    step is done again."""

    async def late(turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("…", 1)
        if turn.context.attempt == 1:
            while world.clock.monotonic() < 59.99:
                yield Delta("x")
                await asyncio.sleep(0.01)
            yield Responded(AssistantSaid("x"))
            await asyncio.sleep(3600)
        assert turn.resumed == ()
        yield Delta("The answer.")
        yield Responded(AssistantSaid("The answer."))
        yield Answered("The answer.")

    world.agents.scripts["assistant"] = late
    call = await world.admitted()
    await world.engine(call, lifetime_s=60)
    (last,) = [row for row in world.rows(LogRow) if '"agent_resumed"' in row.events[-1]]
    assert (len(last.events), last.journal) == (1, b"")
    await world.serve()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    messages = await assert_history(world, call.thread_id)
    assert [m.text for m in messages if isinstance(m, AssistantSaid)] == ["The answer."]


@pytest.mark.parametrize(("idempotent", "end"), [(True, "agent_completed"), (False, "agent_error")])
async def test_a_tool_that_is_cut(world: World, *, idempotent: bool, end: str) -> None:
    """One that may run twice is begun again by the next engine; else the run ends with `tool_outcome_unknown`."""
    call, programme = await admitted(world, Round("", calls=("c-1",), tool_s=70), Round("Done."), idempotent=idempotent)
    await world.engine(call, lifetime_s=60)
    await world.serve()
    assert programme.turns[-1].in_doubt == {"c-1"}
    assert assert_ended_once(world, call.run_id) == end
    if idempotent:
        assert programme.ran == ["c-1"]
        assert world.log_types(call.run_id).count("tool_completed") == 1
    else:
        assert world.log(call.run_id)[-1]["payload"]["code"] == "tool_outcome_unknown"


async def test_the_first_step_of_an_attempt_is_always_begun(world: World) -> None:
    """Engines that live for hardly one step take a run to its end all the same, a step each."""
    rounds = [Round(f"{n}. ", calls=(f"c-{n}",), think_s=4.9) for n in range(4)]
    call, programme = await admitted(world, *rounds, Round("Done.", think_s=4.9))
    reports = await world.serve(lifetime_s=5)
    assert [report.outcome for report in reports[:-1]] == ["handed_over"] * (len(reports) - 1)
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert programme.ran == ["c-0", "c-1", "c-2", "c-3"]
    assert all("discard_after" not in payload for payload in resumed(world, call.run_id))


@pytest.mark.parametrize(("steps", "end"), [(9, "agent_completed"), (12, "agent_error")])
async def test_a_runs_time_is_bounded_over_all_of_its_engines(steps: int, end: str) -> None:
    """A run of 95 s ends well within a limit of 100 s; a longer one ends there, with `run_too_long`."""
    world = World(limits=RunLimits(run_ms=100_000))
    rounds = [Round(f"{n}. ", calls=(f"c-{n}",), think_s=10) for n in range(steps)]
    call, _ = await admitted(world, *rounds, Round("Done.", think_s=5))
    await world.serve(lifetime_s=60)
    assert assert_ended_once(world, call.run_id) == end
    assert len(world.invoker.calls) > 1
    if end == "agent_error":
        assert world.clock.monotonic() == pytest.approx(100, abs=0.1)
        payload = world.log(call.run_id)[-1]["payload"]
        assert (payload["code"], payload["retryable"]) == ("run_too_long", False)
    else:
        assert world.clock.monotonic() == pytest.approx(95, abs=0.1)


async def test_the_time_of_a_lost_engine_counts(world: World) -> None:
    """A run whose engines die has no more time than another."""
    world = World(limits=RunLimits(run_ms=100_000))
    programme = Programme(*[Round(f"{n}. ", calls=(f"c-{n}",), think_s=10) for n in range(12)], Round("Done."))
    call = await world.killed(programme, after_s=45)
    await world.notice(call)
    assert 40_000 <= world.run(call.run_id).spent_ms <= 45_000
    await world.serve()
    assert world.log(call.run_id)[-1]["payload"]["code"] == "run_too_long"
    assert assert_ended_once(world, call.run_id) == "agent_error"


async def test_a_hand_over_whose_invocation_is_refused_is_seen_to_by_the_sweep(world: World) -> None:
    """The lease waits: in ten seconds the next attempt is asked for again."""
    call, programme = await admitted(world, *TOOLS)
    world.invoker.fail_with = PortError("throttled")
    assert (await world.engine(call, lifetime_s=60)).outcome == "handed_over"
    world.invoker.fail_with = None
    assert len(world.invoker.calls) == 1
    await world.recover()
    assert assert_ended_once(world, call.run_id) == "agent_completed"
    assert programme.ran == ["c-1", "c-2"]


async def test_a_cancel_between_two_engines_is_honoured_by_the_next(world: World) -> None:
    """Marked after the hand-over and before the next engine begins, the run ends at once, without one."""
    call, programme = await admitted(world, *TOOLS)
    await world.engine(call, lifetime_s=60)
    reply = await world.ask("cancel", run_id=call.run_id)
    assert reply["type"] == "cancelling"
    assert assert_ended_once(world, call.run_id) == "agent_cancelled"
    assert [report.outcome for report in await world.serve()] == [None, None]
    assert len(programme.turns) == 1


@pytest.mark.parametrize("moved", [{"nonce": "another"}, {"state": "waiting"}, {"first_seq": 9}])
async def test_a_superseded_engine_hands_nothing_over(world: World, moved: dict[str, Any]) -> None:
    """Where its lease is another's, no attempt is opened and no engine asked for."""
    call, _ = await admitted(world, *TOOLS)

    def plan(one: Call) -> None:
        if hands_over(one):
            (lease,) = world.leases()
            world.memory._rows[lease.key] = replace(lease, **moved)

    world.table.plan = plan
    assert (await world.engine(call, lifetime_s=60)).outcome is None
    assert resumed(world, call.run_id) == []
    assert world.run(call.run_id).attempt == 1
    assert len(world.invoker.calls) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_any_one_call_may_fail(way: Fault | Halt) -> None:
    """Whichever one call of the table fails in an engine that hands its run over, the run is completed, once: each
    call has one result, each response was counted once, and the history is whole."""

    async def begin(world: World) -> tuple[EngineCall, Programme]:
        rounds = (
            Round("One. ", calls=("c-1",), think_s=20),
            Round("Two. ", calls=("c-2",), think_s=20),
            Round("Done."),
        )
        return await admitted(world, *rounds, idempotent=True)

    async def act(world: World, scene: tuple[EngineCall, Programme]) -> None:
        try:
            await world.engine(scene[0], lifetime_s=45)
        except Unsettled:
            assert len(world.invoker.calls) == 1

    async def check(world: World, scene: tuple[EngineCall, Programme]) -> None:
        call, programme = scene
        await world.recover()
        assert assert_ended_once(world, call.run_id) == "agent_completed"
        log = world.log(call.run_id)
        assert [e["payload"]["tool_call_id"] for e in log if e["type"] == "tool_completed"] == ["c-1", "c-2"]
        assert world.log_types(call.run_id).count("agent_started") == 1
        assert log[-1]["payload"]["usage"] == {
            "requests": 3,
            "input_tokens": 30,
            "output_tokens": 3,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
        }
        messages = await assert_history(world, call.thread_id)
        assert [m.text for m in messages if isinstance(m, AssistantSaid)] == ["One. ", "Two. ", "Done."]
        assert world.leases() == []
        if isinstance(way, Fault):
            assert programme.ran == ["c-1", "c-2"]

    assert await walk(way, begin=begin, act=act, check=check) >= 20
