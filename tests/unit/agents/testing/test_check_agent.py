"""The kit finds what is wrong with a loop, in a sentence, and nothing where nothing is."""

import asyncio
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from dayfly.agents.sdk import (
    Agent,
    AgentDefinition,
    AgentEvent,
    Answered,
    Asked,
    AssistantSaid,
    Delta,
    OpenCall,
    Responded,
    Thinking,
    Tool,
    ToolAnswered,
    ToolCall,
    ToolEnded,
    ToolOutcome,
    ToolOutcomeUnknown,
    ToolStarted,
    Turn,
    run_in_thread,
)
from dayfly.agents.testing import AgentContract, AgentViolations, Check, check_agent

LOOK = ToolCall("c-1", "look", "{}")
STARTED = ToolStarted("look", "c-1", {})
ENDED = ToolEnded(ToolAnswered("c-1", "look", "rain"), 1)
ANSWER = Answered("Rain.")


class Careful:
    """A loop that does everything right; each broken one below changes one thing."""

    asks = False
    looked = 0
    asked = 0

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.refuse(turn)
        said = list(turn.resumed)
        if not said:
            yield Thinking("…", 1)
            type(self).asked += 1
            await self.model()
            yield Delta("Let me see.")
            yield Responded(AssistantSaid("Let me see.", (self.call(),)))
            said.append(AssistantSaid("", (self.call(),)))
        if not any(isinstance(one, ToolAnswered) for one in said):
            async for event in self.tool(turn):
                yield event
                if isinstance(event, Asked):
                    return
        if not (isinstance(said[-1], AssistantSaid) and not said[-1].calls):
            yield Thinking("…", 2)
            type(self).asked += 1
            await self.model()
            yield Delta("Rain.")
            yield Responded(AssistantSaid("Rain."))
        yield ANSWER

    def refuse(self, turn: Turn) -> None:
        if turn.in_doubt:
            raise ToolOutcomeUnknown("It may not run twice.")

    def call(self) -> ToolCall:
        return LOOK

    async def model(self) -> None:
        await asyncio.sleep(0.001)

    async def tool(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if self.asks and not turn.decisions:
            yield Asked((OpenCall("look", "c-1", {}),))
            return
        if turn.decisions and not turn.decisions[0].approved:
            yield ToolEnded(ToolAnswered("c-1", "look", "no", ToolOutcome.DENIED), 0)
            return
        yield STARTED
        await self.look()
        yield ENDED

    async def look(self) -> None:
        type(self).looked += 1
        await asyncio.sleep(0.001)


class Asking(Careful):
    """One whose tool needs the user's approval."""

    asks = True


async def found(agent: Callable[[], Agent], *checks: Check, **more: Any) -> list[str]:
    """The sentences that are told of it."""
    watched: Any = {
        "tool_effects": lambda: getattr(agent, "looked", None),
        "model_requests": lambda: getattr(agent, "asked", None),
        **more,
    }
    try:
        await check_agent(agent, "Hi.", checks=checks or tuple(Check), stops_within_s=0.3, silent_s=0.9, **watched)
    except AgentViolations as broken:
        violations, lines = broken.violations, str(broken).splitlines()
    else:
        return []
    assert lines == [str(one) for one in violations]
    return [one.sentence for one in violations]


@pytest.mark.parametrize("agent", [Careful, Asking])
async def test_a_loop_that_does_everything_right_passes(agent: type[Careful]) -> None:
    """With and without a question to the user."""
    assert await found(agent) == []


class Minimal:
    """Yields the least that there is."""

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if turn.in_doubt:
            raise ToolOutcomeUnknown("no")
        if not turn.resumed:
            yield STARTED
            yield ENDED
        yield ANSWER


class Denier(Asking):
    async def tool(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.decisions:
            yield Asked((OpenCall("look", "c-1", {}),))
        else:
            yield STARTED
            yield ENDED


class Forgetter(Asking):
    async def tool(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.decisions:
            yield Asked((OpenCall("look", "c-1", {}),))


class Eager(Careful):
    async def tool(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        await self.look()
        yield STARTED
        yield ENDED


class RunningAhead(Careful):
    """Lets a task do the work, and yields what it has put into a queue: the task does not wait for the yield."""

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.refuse(turn)
        events: asyncio.Queue[AgentEvent] = asyncio.Queue()

        async def work() -> None:
            async for event in Careful.run(self, turn):
                await events.put(event)

        task = asyncio.create_task(work())
        try:
            while True:
                yield (event := await events.get())
                if isinstance(event, Answered):
                    return
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Repeating(Careful):
    """Does not look at what an earlier attempt has left."""

    runs = 0

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.refuse(turn)
        type(self).runs += 1
        call = f"c-{type(self).runs}"
        yield ToolStarted("look", call, {})
        yield ToolEnded(ToolAnswered(call, "look", "rain"), 1)
        yield ANSWER


class Doubtless(Careful):
    def refuse(self, turn: Turn) -> None:
        """Does not."""


class LateRefusal(Careful):
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if turn.in_doubt:
            yield Thinking("…", 1)
        async for event in super().run(turn):
            yield event


class Abandoning(Doubtless):
    async def tool(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        if not turn.in_doubt:
            yield STARTED
            yield ENDED


class AnsweringTwice(Careful):
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.refuse(turn)
        if not turn.resumed:
            yield Responded(AssistantSaid("Well.", (LOOK,)))
            yield STARTED
            yield ENDED
        elif not any(isinstance(one, ToolAnswered) for one in turn.resumed):
            yield STARTED
            yield ENDED
        yield Responded(AssistantSaid("Rain."))
        yield ANSWER


class Deaf(Careful):
    async def model(self) -> None:
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue


class Littering(Careful):
    tasks: set[Any] = set()  # noqa: RUF012

    async def model(self) -> None:
        self.tasks.add(asyncio.create_task(asyncio.sleep(0.4), name="left behind"))
        await asyncio.sleep(0.05)


class Threading(Careful):
    async def look(self) -> None:
        await run_in_thread(functools.partial(time.sleep, 0.6), name="look")


class OwnThreads(Careful):
    async def look(self) -> None:
        threading.Thread(target=time.sleep, args=(0.6,), name="mine").start()
        await asyncio.sleep(0.05)


class Leaking(Careful):
    open = 0

    async def model(self) -> None:
        type(self).open += 1
        await asyncio.sleep(0.03)
        type(self).open -= 1


class Blocking(Careful):
    async def look(self) -> None:
        time.sleep(0.5)  # noqa: ASYNC251


class Collecting(Careful):
    """Keeps what was said in its class."""

    heard: list[str] = []  # noqa: RUF012

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        self.heard.append(turn.text)
        yield Answered(" ".join(self.heard[-2:]))


class Mixing(Careful):
    """Keeps whose turn it is in its class, for as long as the run takes."""

    now = ""

    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        type(self).now = turn.text
        yield Delta("You said ")
        yield Answered(f"You said {self.now}")


class Ignorant(Careful):
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        names = {one.name for one in turn.history if isinstance(one, ToolAnswered)}
        if "look" in names:
            raise KeyError("look")
        yield ANSWER


class Raising(Careful):
    async def model(self) -> None:
        raise ValueError("no model")


class Silent(Careful):
    async def model(self) -> None:
        await asyncio.sleep(5)


class Unending(Careful):
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Asked((OpenCall("look", f"c-{turn.context.attempt}", {}),))


class Wordless(Careful):
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Delta("Well…")


class Returning:
    async def run(self, turn: Turn) -> Answered:
        return ANSWER


class Plain:
    def run(self, turn: Turn) -> Iterator[AgentEvent]:
        yield ANSWER


SHARED = Careful()

BROKEN: dict[str, tuple[Any, Check, str]] = {
    "no generator": (Returning, Check.ORDER, "gave coroutine, not an async iterator of events. It has no `yield`?"),
    "a plain generator": (
        Plain,
        Check.ORDER,
        "gave generator, not an async iterator of events. It is not an `async def`?",
    ),
    "no answer": (Wordless, Check.ORDER, "ended behind Delta. `run` ends with one `Answered` or `Asked`"),
    "an error": (Raising, Check.ORDER, "It raised, behind Thinking: ValueError: no model"),
    "silence": (Silent, Check.ORDER, "It gave nothing more behind Thinking."),
    "questions without end": (Unending, Check.ORDER, "asked its user 10 times"),
    "a tool before its start": (Eager, Check.COMMITS, "A tool did something before ToolStarted('look') came"),
    "a task that runs ahead": (RunningAhead, Check.COMMITS, "The model was asked"),
    "a tool that completed": (
        Repeating,
        Check.RESUMPTION,
        "It ran look({}) again when it goes on from a loss behind To",
    ),
    "a tool in doubt": (Doubtless, Check.RESUMPTION, "though look may have run and may not run twice"),
    "a late refusal": (LateRefusal, Check.RESUMPTION, "that comes before any event"),
    "a doubt that is passed over": (
        Abandoning,
        Check.RESUMPTION,
        "left the call of look that had begun without a resul",
    ),
    "an answer twice": (AnsweringTwice, Check.RESUMPTION, "Its answer stands 2 times in the history"),
    "a denied tool": (Denier, Check.APPROVALS, "It ran look, which its user has denied."),
    "an allowed tool": (Forgetter, Check.APPROVALS, "It did not run look, which its user has allowed."),
    "a denial without a result": (Forgetter, Check.APPROVALS, "left the denied call of look without a result"),
    "another agent's history": (
        Ignorant,
        Check.HISTORY,
        "in a thread of another agent's, at its start: KeyError: 'look'",
    ),
    "a cancel that is not heard": (
        Deaf,
        Check.CANCELLATION,
        "had not stopped 0.3 s after it was cancelled behind Thinki",
    ),
    "a task": (Littering, Check.CANCELLATION, "left tasks running when it was cancelled behind Thinking: left behind."),
    "a tool's thread": (Threading, Check.CANCELLATION, "left threads running when it was cancelled behind ToolStarted"),
    "a thread of its own": (OwnThreads, Check.CANCELLATION, "behind ToolStarted('look'): mine."),
    "a stream": (Leaking, Check.CANCELLATION, "left a stream open when it was cancelled behind Thinking."),
    "a blocked loop": (Blocking, Check.BLOCKING, "(time.sleep(0.5)"),
    "one agent for all": (lambda: SHARED, Check.ISOLATION, "gives the same agent twice"),
    "what was said before": (
        Collecting,
        Check.ISOLATION,
        "behind another user's, went otherwise: the answer 'Something",
    ),
    "what is said beside": (Mixing, Check.ISOLATION, "Beside another user's run, the same run went otherwise"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_wrong_is_found(name: str) -> None:
    """In one sentence that says what, and where in the run."""
    agent, check, sentence = BROKEN[name]
    more: dict[str, Any] = {"still_open": lambda: agent.open} if agent is Leaking else {}
    if agent is Abandoning:
        more["idempotent"] = ("look",)
    sentences = await found(agent, check, **more)
    assert any(sentence in one for one in sentences), sentences
    assert all("\n" not in one for one in sentences)


async def test_what_is_not_looked_at_is_not_found() -> None:
    """Each check finds its own."""
    assert await found(Blocking, Check.COMMITS) == []
    assert await found(Doubtless, Check.APPROVALS, Check.ISOLATION) == []


async def test_a_tool_that_may_run_twice_may_be_carried_out_again_or_refused() -> None:
    """Its author says that it may."""
    assert await found(Doubtless, Check.RESUMPTION, idempotent=("look",)) == []
    assert await found(Careful, Check.RESUMPTION, idempotent=("look",)) == []


async def test_the_least_passes() -> None:
    """No response, no text, no steps."""
    assert await found(Minimal) == []


async def test_a_definition_passes() -> None:
    """pydantic-ai's loop keeps to the protocol, with a tool that asks first and one that may run twice."""
    done: list[str] = []

    def buy(what: str = "bread") -> str:
        """Buys.

        Args:
            what: Something.
        """
        done.append(what)
        return f"{what} is bought."

    agent = AgentDefinition(instructions="Buy.", tools=(Tool(buy, requires_approval=True),))
    await check_agent(agent, "Buy milk", tool_effects=lambda: len(done))
    agent = AgentDefinition(instructions="Buy.", tools=(Tool(buy, idempotent=True),))
    await check_agent(agent, "Buy milk", checks=(Check.RESUMPTION,))
    assert done


class TestAContract(AgentContract):
    """The class form: each of its tests passes."""

    agent = Asking
    text = "Hi."

    def tool_effects(self) -> object:
        return Asking.looked


def test_a_contracts_test_fails_with_the_sentences() -> None:
    """As pytest shows them."""

    class Wrong(AgentContract):
        agent = Doubtless

    with pytest.raises(AgentViolations, match="may not run twice"):
        Wrong().test_it_goes_on_where_an_engine_was_lost()
    Wrong().test_its_events_are_of_the_protocol()
