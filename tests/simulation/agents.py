"""The agent of the simulation: performs its run's program, from wherever an earlier attempt left it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import JsonValue

from dayfly.agents.sdk.protocol import (
    AgentEvent,
    AgentRecipe,
    Answered,
    Asked,
    Delta,
    OpenCall,
    ReasoningDelta,
    Responded,
    Retrying,
    Thinking,
    ToolEnded,
    ToolProgress,
    ToolStarted,
    Turn,
)
from dayfly.errors import EngineClosed, ToolOutcomeUnknown, UnknownAgent
from dayfly.log.messages import AssistantSaid, Decision, ToolAnswered, ToolCall, ToolOutcome
from tests.fakes.hosts import InlineHost
from tests.simulation.actors import Actor
from tests.simulation.loop import OWNER
from tests.simulation.programs import Manner, Program, Round, Tool

if TYPE_CHECKING:
    from tests.simulation.ledger import Ledger
    from tests.simulation.truth import Truth
    from tests.simulation.world import World

T = TypeVar("T")

MISSING: Final = "missing"
"""An agent that is never installed."""


class BadProgram(RuntimeError):
    """What an agent raises that is made to."""


class Performer:
    """One attempt's agent. A pure function of its turn, but for the name of the attempt in what it says: so that text
    which an earlier attempt left is known from text of its own."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        """Performs the turn."""
        program = Program.of(turn.text)
        self._ledger.given(turn)
        said = [message for message in turn.resumed if isinstance(message, AssistantSaid)]
        ended = {message.call_id for message in turn.resumed if isinstance(message, ToolAnswered)}
        if said:
            left = tuple(call for call in said[-1].calls if call.call_id not in ended)
            self._refuse_doubtful(turn, left)
            async for event in self._call(turn, left):
                yield event
                if isinstance(event, Asked):
                    return
        for number in range(len(said), len(program.rounds)):
            message, telling = self._respond(turn, number, program.rounds[number])
            async for event in telling:
                yield event
            said.append(message)
            async for event in self._call(turn, message.calls):
                yield event
                if isinstance(event, Asked):
                    return
        async for event in self._misbehave(program.manner):
            yield event
        if program.manner is not Manner.NOTHING:
            yield Answered(said[-1].text)

    def _respond(self, turn: Turn, number: int, one: Round) -> tuple[AssistantSaid, AsyncIterator[AgentEvent]]:
        mark = f"{number}.{turn.context.attempt}"
        pieces = [f"[{mark}.{place}]" for place in range(one.pieces)]
        calls = tuple(
            ToolCall(f"c-{mark}-{place}", call.tool, f'{{"seconds": {call.seconds:g}, "progress": {call.progress}}}')
            for place, call in enumerate(one.calls)
        )
        message = AssistantSaid("".join(pieces), calls)

        async def telling() -> AsyncIterator[AgentEvent]:
            yield Thinking(f"Step {number + 1}.", number + 1)
            for retry in range(one.retries):
                for place, kind in enumerate(one.order[retry:]):
                    await asyncio.sleep(one.pause)
                    void = f"{mark}.void{retry}.{place}"
                    yield Delta(f"[{void}]") if kind == "[" else ReasoningDelta(f"({void})")
                yield Retrying("throttled", retry + 1, one.pause)
                await asyncio.sleep(one.pause)
            text = iter(pieces)
            for place, kind in enumerate(one.order):
                await asyncio.sleep(one.pause)
                yield Delta(next(text)) if kind == "[" else ReasoningDelta(f"({mark}.{place})")
            if not one.order:
                await asyncio.sleep(one.pause)
            yield Responded(message)

        return message, telling()

    def _refuse_doubtful(self, turn: Turn, left: tuple[ToolCall, ...]) -> None:
        for call in left:
            if call.call_id in turn.in_doubt and call.name != Tool.IDEMPOTENT:
                raise ToolOutcomeUnknown(f"Whether {call.call_id} did its work is unknown.")

    async def _call(self, turn: Turn, calls: tuple[ToolCall, ...]) -> AsyncIterator[AgentEvent]:
        decisions = {decision.call_id: decision for decision in turn.decisions}
        asking: list[OpenCall] = []
        for call in calls:
            planned: dict[str, JsonValue] = json.loads(call.arguments)
            seconds, progress = float(str(planned["seconds"])), int(str(planned["progress"]))
            if call.name == Tool.ASK:
                decision: Decision | None = decisions.get(call.call_id)
                if decision is None:
                    asking.append(OpenCall(call.name, call.call_id, planned))
                    continue
                if not decision.approved:
                    yield ToolEnded(ToolAnswered(call.call_id, call.name, "denied", ToolOutcome.DENIED), 0)
                    continue
            yield ToolStarted(call.name, call.call_id, planned)
            actor = OWNER.get()
            assert isinstance(actor, Actor)
            self._ledger.begins(actor, turn.context.run_id, call, approved=call.name == Tool.ASK)
            for told in range(progress):
                await asyncio.sleep(seconds / (progress + 1))
                yield ToolProgress(call.call_id, f"{told + 1} of {progress + 1}")
            await asyncio.sleep(seconds / (progress + 1))
            self._ledger.ends(actor, turn.context.run_id, call)
            yield ToolEnded(ToolAnswered(call.call_id, call.name, f"did {call.call_id}"), round(seconds * 1000))
        if asking:
            yield Asked(tuple(asking))

    async def _misbehave(self, manner: Manner) -> AsyncIterator[AgentEvent]:
        if manner is Manner.RAISE:
            raise BadProgram("made to")
        if manner is Manner.HANG:
            await asyncio.sleep(3600)
        if manner is Manner.STUBBORN:
            for _ in range(20):
                try:
                    await asyncio.sleep(4)
                except asyncio.CancelledError:
                    pass  # as a tool's thread that nobody can stop
                else:
                    continue
                for _ in range(100):  # and which talks on
                    await asyncio.sleep(0.02)
                    yield Delta("[late]")


class OneAgent:
    """The installed agents, as one engine finds them: the one there is, under every name but one; or not even that, as
    while another version is rolled out."""

    def __init__(self, world: "World", run: str) -> None:
        self._world = world
        self._run = run

    def recipe(self, name: str) -> AgentRecipe:
        """How to build it. Raises `UnknownAgent`."""
        world = self._world
        if name == MISSING or (world.troubled and world.hazards.dice.chance(world.hazards.uninstalled)):
            world.platform.unmade.add(self._run)
            raise UnknownAgent("The agent is not installed.")
        make: Callable[[], Performer] = lambda: Performer(world.ledger)  # noqa: E731  as a recipe is written
        return make


class SimHost(InlineHost):
    """Notes what an agent is told that goes on when its run, or its engine, does not."""

    def __init__(self, truth: "Truth") -> None:
        super().__init__()
        self._truth = truth

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await super().call(work)
        except EngineClosed as closed:
            self._truth.reached.add(f"an agent goes on: {closed}")
            raise
