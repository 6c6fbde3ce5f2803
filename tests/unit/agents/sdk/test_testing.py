"""The developer's helper, used as the README shows it."""

import pytest

from dayfly.agents.pydantic.requests.conversation import to_model_messages
from dayfly.agents.sdk.definition import AgentDefinition, Tool
from dayfly.agents.sdk.testing import ask
from dayfly.agents.sdk.tool_context import ToolContext, ToolError
from dayfly.errors import ConfigurationError
from tests.unit.agents.support import assert_whole


async def weather(context: ToolContext, city: str) -> str:
    """Looks out of the window.

    Args:
        city: Where to look.
    """
    if city == "Atlantis":
        raise ToolError("There is no window in Atlantis.")
    await context.notes.add(f"asked about {city}", at=context.clock.now_ms(), idempotency_key=context.idempotency_key)
    return f"Rain in {city}."


agent = AgentDefinition(instructions="You know the weather.", tools=(weather,))


async def test_a_developers_agent_runs_without_anything_else() -> None:
    """The demo model calls a tool it has never heard of."""
    transcript = await ask(agent, "What is the weather in Kiel?")
    assert transcript.tools == ("weather",)
    assert transcript.calls[0].parameters == {"city": "Kiel"}
    assert transcript.results[0].content == "Rain in Kiel."
    assert "Rain in Kiel." in transcript.answer


async def test_a_tools_refusal_is_seen() -> None:
    """It is in the results and in the answer."""
    transcript = await ask(agent, "What is the weather in Atlantis?")
    assert transcript.results[0].outcome == "error"
    assert "no window" in transcript.answer


async def test_a_thread_goes_on() -> None:
    """The messages of one run are the next one's history."""
    first = await ask(agent, "What is the weather in Kiel?")
    second = await ask(agent, "What did I just ask?", history=first.messages)
    assert second.answer == 'You said: "What is the weather in Kiel?"'


def buy_ticket(to: str) -> str:
    """Buys a ticket."""
    return f"One ticket to {to}."


def book_hotel(town: str) -> str:
    """Books a hotel."""
    return f"One room in {town}."


buying = Tool(buy_ticket, requires_approval=True)
travel = AgentDefinition(instructions="You travel.", tools=(weather, buying, Tool(book_hotel, requires_approval=True)))
JOURNEY = "What is the weather in Kiel? Buy a ticket to Kiel. Book a hotel in Kiel."


async def test_a_run_stops_where_the_user_is_asked() -> None:
    """What needs no approval has run; that there is no answer yet is said, and for which tools."""
    transcript = await ask(travel, JOURNEY)
    assert transcript.tools == ("weather",)
    assert [(call.tool_name, call.parameters) for call in transcript.asked] == [
        ("buy_ticket", {"to": "Kiel"}),
        ("book_hotel", {"town": "Kiel"}),
    ]
    with pytest.raises(LookupError, match="approval of buy_ticket, book_hotel"):
        _ = transcript.answer


async def test_a_run_goes_on_with_what_the_user_decides() -> None:
    """One word for all calls."""
    transcript = await ask(travel, JOURNEY, approve=True)
    assert sorted(transcript.tools) == ["book_hotel", "buy_ticket", "weather"]
    assert "One ticket to Kiel." in transcript.answer
    assert "One room in Kiel." in transcript.answer
    refused = await ask(travel, JOURNEY, approve=False, reason="Too dear.")
    assert refused.tools == ("weather",)
    assert refused.answer.count("because you did not allow it: Too dear.") == 2


async def test_the_user_may_decide_call_by_call() -> None:
    """Each call is shown with its parameters; only denials have the reason."""
    transcript = await ask(travel, JOURNEY, approve=lambda call: "to" in call.parameters, reason="Too dear.")
    assert sorted(transcript.tools) == ["buy_ticket", "weather"]
    outcomes = {result.name: result.outcome for result in transcript.results}
    assert outcomes == {"weather": "ok", "buy_ticket": "ok", "book_hotel": "denied"}
    assert len(transcript.asked) == 2


async def test_a_thread_goes_on_behind_a_decision() -> None:
    """The messages hold each call with one result."""
    first = await ask(travel, JOURNEY, approve=False)
    assert_whole(to_model_messages(first.messages))
    assert (await ask(travel, "What did I just ask?", history=first.messages)).answer == f'You said: "{JOURNEY}"'


async def test_a_wrong_model_is_said() -> None:
    """As it would be at start."""
    with pytest.raises(ConfigurationError):
        await ask(agent, "Hello", model="nonsense")
