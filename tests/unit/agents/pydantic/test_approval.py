"""Tools that run only if the user allows it."""

import random
from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel, field_validator
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo

from dayfly.agents.pydantic.agent import PydanticAgent
from dayfly.agents.pydantic.failures.failures import MAX_FAILED_RESPONSES
from dayfly.agents.sdk.definition import Tool
from dayfly.agents.sdk.protocol import (
    AgentEvent,
    Answered,
    Asked,
    OpenCall,
    Responded,
    Thinking,
    ToolEnded,
    ToolStarted,
)
from dayfly.agents.sdk.tool_context import ToolContext
from dayfly.errors import AgentFailed
from dayfly.log.messages import AssistantSaid, Decision, Message, ToolAnswered, ToolCall, ToolOutcome
from tests.unit.agents.support import Piece, agent_of, assert_whole, call, collect, events_of, kinds, responses, turn

DENIED = "The user did not approve this tool call."


class Shop:
    """Two tools, of which one needs approval, that note what they did; and a model that is told of it."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.given: list[ModelMessage] = []

    async def buy(self, context: ToolContext, what: str) -> str:
        """Buys."""
        self.ran.append(context.idempotency_key.removeprefix("r-1:"))
        return f"bought {what}"

    async def look(self, context: ToolContext) -> str:
        """Looks."""
        self.ran.append(context.idempotency_key.removeprefix("r-1:"))
        return "seen"

    async def answers(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Piece]:
        self.given = messages
        yield "Done."

    def agent(self, *replies: tuple[Piece, ...]) -> PydanticAgent:
        """Its model gives these replies, or answers at once and keeps what it was given."""
        script = responses(*replies) if replies else self.answers
        tools = (Tool(self.buy, requires_approval=True, idempotent=True), Tool(self.look, idempotent=True))
        return agent_of(script, *tools)

    @property
    def told(self) -> dict[str, tuple[str, str]]:
        """What the model was told of each call: outcome and content."""
        parts = [part for message in self.given for part in message.parts if isinstance(part, ToolReturnPart)]
        return {part.tool_call_id: (part.outcome, str(part.content)) for part in parts}


def asked_of(events: list[AgentEvent]) -> tuple[str, ...]:
    last = events[-1]
    return tuple(one.tool_call_id for one in last.calls) if isinstance(last, Asked) else ()


async def test_an_attempt_ends_where_the_user_is_asked() -> None:
    """The calls that need no approval run first, also those behind it; nothing is started that waits."""
    shop = Shop()
    reply = (
        call("buy", '{"what": "tea"}', "a"),
        call("look", "{}", "b", place=1),
        call("buy", '{"what": 1}', "x", place=2),
    )
    events = await events_of(shop.agent(reply))
    assert kinds(events)[:2] == [Thinking, Responded]
    assert events[-1] == Asked((OpenCall("buy", "a", {"what": "tea"}),))
    assert shop.ran == ["b"]
    ended = {event.answer.call_id: event.answer.outcome for event in events if isinstance(event, ToolEnded)}
    assert ended == {"b": ToolOutcome.OK, "x": ToolOutcome.ERROR}
    assert {event.tool_call_id for event in events if isinstance(event, ToolStarted)} == {"b"}


async def test_call_ids_are_asked_for_as_they_were_committed() -> None:
    """An id that the thread has had is another one in the response, in the question and in the decision's effect."""
    shop = Shop()
    history = (AssistantSaid("", (ToolCall("a", "look", "{}"),)), ToolAnswered("a", "look", "seen"))
    events = await events_of(shop.agent((call("buy", '{"what": "tea"}', "a"),)), turn(history=history))
    responded = next(event for event in events if isinstance(event, Responded))
    assert asked_of(events) == tuple(one.call_id for one in responded.message.calls) != ("a",)


RESUMED = (AssistantSaid("", (ToolCall("a", "buy", '{"what": "tea"}'),)),)


async def test_an_approved_call_runs() -> None:
    """It is started and ended as any other, and the model is told its result."""
    shop = Shop()
    events = await events_of(shop.agent(), turn(resumed=RESUMED, decisions=(Decision("a", approved=True),)))
    assert events[0] == ToolStarted("buy", "a", {"what": "tea"})
    assert isinstance(events[1], ToolEnded)
    assert events[1].answer == ToolAnswered("a", "buy", "bought tea")
    assert shop.told == {"a": ("success", "bought tea")}
    assert events[-1] == Answered("Done.")


@pytest.mark.parametrize(("reason", "content"), [("", DENIED), ("Too dear.", f"{DENIED} Reason: Too dear.")])
async def test_a_denied_call_only_ends(reason: str, content: str) -> None:
    """Nothing runs; the model is told that the user did not approve, and why."""
    shop = Shop()
    denied = Decision("a", approved=False, reason=reason)
    events = await events_of(shop.agent(), turn(resumed=RESUMED, decisions=(denied,)))
    assert events[0] == ToolEnded(ToolAnswered("a", "buy", content, ToolOutcome.DENIED), 0)
    assert ToolStarted not in kinds(events)
    assert shop.ran == []
    assert shop.told == {"a": ("denied", content)}
    assert events[-1] == Answered("Done.")


@pytest.mark.parametrize("arguments", ['{"what": 1}', "{}", '{"what": "tea", "more": 1}', "{", '["tea"]'])
async def test_arguments_that_do_not_fit_are_corrected_before_anybody_is_asked(arguments: str) -> None:
    """Neither is the call announced as running nor its user asked: the model is told what is wrong, and its corrected
    call is what the user is asked about."""
    shop = Shop()
    events = await events_of(shop.agent((call("buy", arguments, "x"),), (call("buy", '{"what": "tea"}', "y"),)))
    assert kinds(events) == [Thinking, Responded, ToolEnded, Thinking, Responded, Asked]
    assert asked_of(events) == ("y",)
    assert shop.ran == []


class Order(BaseModel):
    """Has a validator that is wrong itself."""

    what: str

    @field_validator("what")
    @classmethod
    def _is_sold(cls, value: str) -> str:
        return {"tea": value}[value]


async def test_a_validator_that_breaks_fails_its_call_and_not_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """What it raised is in the log alone."""

    async def order(order: Order) -> str:
        """Orders."""
        return order.what

    tool = Tool(order, requires_approval=True)
    events = await events_of(agent_of(responses((call("order", '{"what": "gold"}'),), ("Sorry.",)), tool))
    ended = [event.answer for event in events if isinstance(event, ToolEnded)]
    assert [(answer.outcome, answer.content) for answer in ended] == [
        (ToolOutcome.ERROR, "The arguments could not be checked.")
    ]
    assert "KeyError: 'gold'" in caplog.text
    assert events[-1] == Answered("Sorry.")


async def test_a_model_that_never_gives_fitting_arguments_ends_the_run() -> None:
    """It is told a few times; its user is never asked."""
    replies = tuple((call("buy", '{"what": 1}', f"x-{number}"),) for number in range(20))
    seen: list[AgentEvent] = []
    with pytest.raises(AgentFailed):
        await collect(Shop().agent(*replies).run(turn()), seen)
    assert kinds(seen).count(Responded) == MAX_FAILED_RESPONSES
    assert ToolStarted not in kinds(seen)
    assert Asked not in kinds(seen)


async def test_denied_again_and_again_is_no_failing_tool() -> None:
    """The run goes on as long as the model asks."""
    resumed: list[Message] = []
    for number in range(5):
        resumed.append(AssistantSaid("", (ToolCall(f"a-{number}", "buy", '{"what": "tea"}'),)))
        resumed.append(ToolAnswered(f"a-{number}", "buy", DENIED, ToolOutcome.DENIED))
    events = await events_of(Shop().agent(), turn(resumed=tuple(resumed)))
    assert events[-1] == Answered("Done.")


async def test_without_a_decision_it_is_asked_for_again() -> None:
    """An attempt that finds no answer runs nothing, asks no model, and asks the user."""
    shop = Shop()
    for decisions in ((), (Decision("b", approved=True),)):
        events = await events_of(shop.agent(), turn(resumed=RESUMED, decisions=decisions))
        assert events == [Asked((OpenCall("buy", "a", {"what": "tea"}),))]
        assert shop.ran == []


async def test_to_have_begun_is_no_approval() -> None:
    """A tool that has come to need approval since is asked for, even if it began without."""
    shop = Shop()
    events = await events_of(shop.agent(), turn(resumed=RESUMED, in_doubt=frozenset({"a"})))
    assert asked_of(events) == ("a",)
    assert shop.ran == []


STANDINGS = ("ended", "new", "doubt", "approved", "denied", "undecided", "unfit")


async def test_any_mix_of_open_calls() -> None:
    """Each call of a response may stand anywhere. What may run does, once; what was denied ends; what is undecided is
    asked for, in its order, and the model waits; else the model is given one result for each call."""
    dice = random.Random(23)
    for _ in range(60):
        standings = {f"c-{place}": dice.choice(STANDINGS) for place in range(dice.randrange(1, 6))}
        calls: list[ToolCall] = []
        ended: list[Message] = []
        decisions: list[Decision] = []
        for call_id, standing in standings.items():
            free = standing in {"new", "doubt"}
            name = "gone" if standing == "unfit" else "look" if free else "buy"
            calls.append(ToolCall(call_id, name, "{}" if free else '{"what": "tea"}'))
            if standing == "ended":
                ended.append(ToolAnswered(call_id, name, "before"))
            elif standing in {"approved", "denied"}:
                decisions.append(Decision(call_id, approved=standing == "approved"))
        given = turn(
            resumed=(AssistantSaid("", tuple(calls)), *ended),
            in_doubt=frozenset(one for one, standing in standings.items() if standing == "doubt"),
            decisions=tuple(decisions),
        )
        shop = Shop()
        events = await events_of(shop.agent(), given)

        def those(*wanted: str, standings: dict[str, str] = standings) -> list[str]:
            return [one for one, standing in standings.items() if standing in wanted]

        assert sorted(shop.ran) == those("new", "doubt", "approved")
        starts = sorted(event.tool_call_id for event in events if isinstance(event, ToolStarted))
        ends = {event.answer.call_id: event.answer.outcome for event in events if isinstance(event, ToolEnded)}
        assert starts == those("new", "doubt", "approved")
        assert sorted(ends) == those("new", "doubt", "approved", "unfit", "denied")
        assert [one for one, outcome in sorted(ends.items()) if outcome is ToolOutcome.DENIED] == those("denied")
        assert list(asked_of(events)) == those("undecided")
        if those("undecided"):
            assert shop.given == []
        else:
            assert events[-1] == Answered("Done.")
            assert set(shop.told) == set(standings)
            assert_whole(shop.given)
