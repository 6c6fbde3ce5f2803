"""The developer's helper, used as the README shows it."""

import pytest

from dayfly.agents.definition import AgentDefinition
from dayfly.agents.rehearsal import rehearse
from dayfly.agents.testing import ask
from dayfly.agents.tool_context import ToolContext, ToolError
from dayfly.errors import ConfigurationError


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


async def test_a_wrong_model_is_said() -> None:
    """As it would be at start."""
    with pytest.raises(ConfigurationError):
        await ask(agent, "Hello", model="nonsense")


def test_the_rehearsal_runs_through() -> None:
    """In the init phase, outside any loop."""
    rehearse()
