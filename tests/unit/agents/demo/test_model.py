"""The demo model, behind the library's interface, with the default agent."""

import time

from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import Delta
from dayfly.agents.sdk.testing import ask
from dayfly.store.memory import MemoryTable
from functions.engine.agents.assistant import agent
from tests.fakes.ports import ManualClock


async def test_it_calls_the_calculator_and_streams_what_that_gave() -> None:
    """The answer comes in pieces that make up the whole."""
    transcript = await ask(agent, "What is 17 * 23?")
    assert transcript.tools == ("calculate",)
    assert transcript.answer == "17 * 23 = 391"
    pieces = [event.text for event in transcript.events if isinstance(event, Delta)]
    assert len(pieces) > 1
    assert "".join(pieces) == transcript.answer


async def test_another_tool_of_the_same_name_gives_another_answer() -> None:
    """The tool that is registered is the one that runs."""

    def calculate(expression: str) -> str:
        """Calculates badly."""
        return f"{len(expression)} or so"

    wrong = AgentDefinition(instructions="Calculate.", tools=(calculate,))
    assert (await ask(wrong, "What is 17 * 23?")).answer == "17 * 23 = 7 or so"


async def test_a_short_answer_takes_less_than_a_second() -> None:
    """Pauses are there to be seen, not to be waited for."""
    started = time.perf_counter()
    transcript = await ask(agent, "What is 17 * 23, and what time is it in Tokyo?", clock=ManualClock())
    assert transcript.answer == (
        "17 * 23 = 391\n\nIt is 01:00:00 on Tuesday, 25 November 2025 in Asia/Tokyo (UTC+09:00)."
    )
    assert time.perf_counter() - started < 2  # a wide ceiling for a busy machine


async def test_notes_are_kept_between_runs() -> None:
    """Remember in one run, recall in the next."""
    table = MemoryTable()
    await ask(agent, "Remember that my code is 1234", table=table)
    transcript = await ask(agent, "What do you recall about me?", table=table)
    assert transcript.answer == "This is what I have noted:\n- my code is 1234"


async def test_a_note_is_forgotten_only_if_the_user_allows_it() -> None:
    """Asked without an answer, denied, and allowed."""
    table = MemoryTable()
    await ask(agent, "Remember that my code is X17", table=table)
    waiting = await ask(agent, "Forget the note about X17", table=table)
    assert [(call.tool_name, call.parameters) for call in waiting.asked] == [("forget_note", {"text": "X17"})]
    denied = await ask(agent, "Forget the note about X17", table=table, approve=False, reason="I need it.")
    assert denied.answer == "I have not used forget_note, because you did not allow it: I need it."
    assert (await ask(agent, "What is my code?", table=table)).answer.endswith("- my code is X17")
    allowed = await ask(agent, "Forget the note about X17", table=table, approve=True)
    assert allowed.answer == "That is forgotten. Removed 1 note:\n- my code is X17"
    assert (await ask(agent, "What is my code?", table=table)).answer == "There is no note about code."
