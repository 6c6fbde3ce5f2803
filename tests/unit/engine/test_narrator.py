"""What an agent yields, and what the client is told of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    Delta,
    OpenCall,
    ReasoningDelta,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
    Turn,
)
from dayfly.engine.narrator import Narrator
from dayfly.engine.time_budget import TimeBudget
from dayfly.errors import AgentFailed, Superseded
from dayfly.log.fold import Began, Said
from dayfly.log.journal import JournalEntry
from dayfly.log.messages import AssistantSaid, ToolAnswered, ToolCall, ToolOutcome
from dayfly.log.reader import steps_of
from tests.fakes.agents import Scripted
from tests.fakes.faulty_table import Call
from tests.fakes.hosts import InlineHost
from tests.fakes.world import World
from tests.unit.delivery.support import Stage, staged, thinking

ASKED = AssistantSaid("Let me see.", (ToolCall("c-1", "look", "{}"),))
ANSWER = ToolAnswered("c-1", "look", "one")


class Narrated:
    """A stage, and a narrator on it that drives what a test wrote down."""

    def __init__(self, world: World, stage: Stage, *, lifetime_s: float = 1000, show_reasoning: bool = True) -> None:
        self.stage = stage
        self.mine = True
        self.reached: list[AgentEvent] = []
        """Behind which events the agent has gone on."""
        self.bridge = stage.bridge()
        budget = TimeBudget(world.clock, deadline=world.clock.monotonic() + lifetime_s, run_left_s=1e6)
        self.narrator = Narrator(self.bridge, InlineHost(), budget, hold=self._hold, show_reasoning=show_reasoning)
        self.turn = Turn(context=world.context(stage.call), text="Hi", history=(), table=world.table, clock=world.clock)

    async def _hold(self) -> None:
        if not self.mine:
            raise Superseded("the lease is another's")

    async def drive(self, *events: AgentEvent, pause_s: float = 0) -> None:
        async def script(turn: Turn) -> AsyncIterator[AgentEvent]:
            for event in events:
                yield event
                self.reached.append(event)
                await asyncio.sleep(pause_s)

        async with self.bridge:
            await self.narrator.drive(Scripted(script), self.turn)
            await self.bridge.emit(thinking(9))


async def narrated(world: World, *, lifetime_s: float = 1000) -> Narrated:
    return Narrated(world, await staged(world), lifetime_s=lifetime_s)


async def test_secrets_that_were_read_are_in_no_row_and_no_event(world: World) -> None:
    """What an agent says, asks for and is told is redacted before it is committed, in events and journal alike."""
    scene = await narrated(world)
    scene.turn.secrets.values.add("sk_live_51Habc")
    said = AssistantSaid("Use sk_live_51Habc.", (ToolCall("c-1", "look", '{"with": "sk_live_51Habc"}'),))
    await scene.drive(
        Delta("Use sk_live_"),
        Delta("51Habc."),
        Responded(said),
        ToolStarted("look", "c-1", {"with": "sk_live_51Habc"}),
        ToolEnded(ToolAnswered("c-1", "look", "seen sk_live_51Habc"), 1),
        Answered("Used sk_live_51Habc."),
    )
    run_id = scene.stage.call.run_id
    steps = await steps_of(world.table, user_id="u-alice", run_id=run_id)
    assert "51H" not in f"{world.log(run_id)}{steps}{scene.narrator.answer}"
    assert "".join(step.text for step in steps if isinstance(step, Said)) == "Use [redacted]."
    call = ToolCall("c-1", "look", '{"with": "[redacted]"}')
    assert AssistantSaid("Use [redacted].", (call,)) in [
        step.message for step in steps if isinstance(step, JournalEntry)
    ]
    assert scene.narrator.answer == Answered("Used [redacted].")


async def test_a_round_of_model_and_tool_is_told_and_journalled(world: World) -> None:
    """Each event is one of the log, in order; responses and results stand in the journal behind what they complete."""
    scene = await narrated(world)
    await scene.drive(
        Thinking("Looking.", 1),
        Delta("Let me "),
        Delta("see."),
        Responded(ASKED, 8, 4),
        ToolStarted("look", "c-1", {"password": "x"}),
        ToolEnded(ANSWER, 3),
        Thinking("Reading.", 2),
        Responded(AssistantSaid("Done."), 12, 5),
        Answered("Done."),
    )
    log = world.log(scene.stage.call.run_id)
    assert [event["type"] for event in log[1:-1]] == [
        "agent_thinking",
        "agent_delta",
        "tool_executing",
        "tool_completed",
        "agent_thinking",
    ]
    assert log[3]["payload"]["parameters"] != {"password": "x"}
    assert log[4]["payload"] == {
        "tool_name": "look",
        "tool_call_id": "c-1",
        "status": "ok",
        "result": "one",
        "execution_time_ms": 3,
    }
    assert await steps_of(world.table, user_id="u-alice", run_id=scene.stage.call.run_id) == (
        Said(3, "Let me see."),
        JournalEntry(3, ASKED, 8, 4),
        Began(4, "c-1"),
        JournalEntry(5, ANSWER),
        JournalEntry(6, AssistantSaid("Done."), 12, 5),
    )
    assert scene.narrator.answer == Answered("Done.")
    counted = scene.narrator.requests, scene.narrator.tokens.input, scene.narrator.tokens.output
    assert counted == (2, 20, 9)


@pytest.mark.parametrize(
    ("outcome", "status"), [(ToolOutcome.OK, "ok"), (ToolOutcome.ERROR, "error"), (ToolOutcome.DENIED, "denied")]
)
async def test_how_a_call_ended_is_its_status(world: World, outcome: ToolOutcome, status: str) -> None:
    """A denied one has no `tool_executing` before it."""
    scene = await narrated(world)
    started = () if outcome is ToolOutcome.DENIED else (ToolStarted("look", "c-1", {}),)
    await scene.drive(*started, ToolEnded(ToolAnswered("c-1", "look", "x", outcome), 0), Answered("Done."))
    (event,) = [event for event in world.log(scene.stage.call.run_id) if event["type"] == "tool_completed"]
    assert event["payload"]["status"] == status


@pytest.mark.parametrize("last", [Answered("Done."), Asked((OpenCall("pay", "c-1", {}),))])
async def test_nothing_may_follow_the_last_word(world: World, last: Answered | Asked) -> None:
    """An agent that goes on behind its answer or its question has failed."""
    scene = await narrated(world)
    with pytest.raises(AgentFailed):
        await scene.drive(last, Delta("One more thing."))
    assert scene.narrator.answer == last


async def test_a_tool_is_announced_only_while_the_lease_is_surely_ones_own(world: World) -> None:
    """Not even the event is written, so that no later engine takes the tool for one in doubt."""
    scene = await narrated(world)
    scene.mine = False
    with pytest.raises(Superseded):
        await scene.drive(ToolStarted("look", "c-1", {}), ToolEnded(ANSWER, 3))
    assert scene.reached == []
    assert world.log_types(scene.stage.call.run_id)[-1] == "user_message"


async def test_a_tool_starts_only_while_the_lease_is_surely_ones_own(world: World) -> None:
    """Where the lease ran out while the event was written, the agent does not go on behind it."""
    scene = await narrated(world)

    def lapse(call: Call) -> None:
        scene.mine = scene.mine and call.method != "write"

    world.table.plan = lapse
    with pytest.raises(Superseded):
        await scene.drive(ToolStarted("look", "c-1", {}), ToolEnded(ANSWER, 3))
    assert scene.reached == []
    assert world.log_types(scene.stage.call.run_id)[-1] == "tool_executing"


async def test_a_model_is_asked_only_while_the_lease_is_surely_ones_own(world: World) -> None:
    """Not even the event is written."""
    scene = await narrated(world)
    scene.mine = False
    with pytest.raises(Superseded):
        await scene.drive(Thinking("Looking.", 1))
    assert world.log_types(scene.stage.call.run_id) == ["user_message"]


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [(Thinking("Looking.", 2), "agent_delta"), (Responded(ASKED), "agent_delta"), (Delta("More."), None)],
)
async def test_an_agent_whose_next_step_does_not_fit_waits_to_be_stopped(
    world: World, boundary: AgentEvent, expected: str | None
) -> None:
    """Before a request to the model, and before the tools of a response: there, and nowhere else."""
    scene = await narrated(world, lifetime_s=10)
    denied = ToolAnswered("c-0", "look", "no", ToolOutcome.DENIED)
    first = (Delta("So."), Responded(AssistantSaid("So.")), ToolEnded(denied, 3))
    driving = asyncio.create_task(scene.drive(*first, boundary, Answered("Done."), pause_s=3))
    await asyncio.sleep(30)
    assert scene.narrator.out_of_time.is_set() is (expected is not None)
    assert driving.done() is (expected is None)
    assert (boundary in scene.reached) is (expected is None)
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)


async def test_a_response_without_calls_may_always_be_answered(world: World) -> None:
    """Behind it comes no step, but the end."""
    scene = await narrated(world, lifetime_s=10)
    await scene.drive(Thinking("…", 1), Responded(AssistantSaid("Done.")), Answered("Done."), pause_s=6)
    assert not scene.narrator.out_of_time.is_set()
    assert scene.narrator.answer == Answered("Done.")


async def test_the_agents_generator_is_closed_behind_a_failure(world: World) -> None:
    """Whatever the narrator raises, the stream of the model is not left open."""
    closed: list[bool] = []

    async def script(turn: Turn) -> AsyncIterator[AgentEvent]:
        try:
            yield Answered("Done.")
            yield Delta("One more thing.")
        finally:
            closed.append(True)

    scene = await narrated(world)
    async with scene.bridge:
        with pytest.raises(AgentFailed):
            await scene.narrator.drive(Scripted(script), scene.turn)
    assert closed == [True]


@pytest.mark.parametrize(("show_reasoning", "told"), [(True, ["plan"]), (False, [])])
async def test_reasoning_is_emitted_where_the_deployment_shows_it(
    world: World, told: list[str], *, show_reasoning: bool
) -> None:
    """Whichever agent gives it; all else is the same."""
    scene = Narrated(world, await staged(world), show_reasoning=show_reasoning)
    await scene.drive(ReasoningDelta("plan"), Delta("Hello"), Responded(AssistantSaid("Hello")), Answered("Hello"))
    events = world.log(scene.stage.call.run_id)
    assert [event["payload"]["text"] for event in events if event["type"] == "agent_reasoning"] == told
    assert [event["payload"]["text"] for event in events if event["type"] == "agent_delta"] == ["Hello"]
