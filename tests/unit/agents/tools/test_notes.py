"""Keeping, telling and forgetting notes, as tools."""

from dayfly.agents.sdk.tool_context import ToolContext
from dayfly.agents.tools.notes import NOTHING, forget_note, recall, remember
from dayfly.store.memory import MemoryTable
from tests.fakes.ports import ManualClock
from tests.unit.agents.support import turn


async def test_what_is_remembered_is_recalled_in_another_run() -> None:
    """Notes outlive the run; a word picks among them."""
    table, clock = MemoryTable(), ManualClock()
    first = ToolContext.of(turn(table=table, clock=clock, run="r-1"), "a")
    second = ToolContext.of(turn(table=table, clock=clock, run="r-2"), "a")
    assert await remember(first, " my code is 1234 ") == "Noted: my code is 1234"
    clock.advance(1)
    await remember(second, "I live in Kiel")
    assert await recall(second) == "- my code is 1234\n- I live in Kiel"
    assert await recall(second, "CODE") == "- my code is 1234"
    assert await recall(second, "dog") == "There is no note about dog."


async def test_nobody_elses_notes_are_told() -> None:
    """Another user starts with none."""
    table = MemoryTable()
    await remember(ToolContext.of(turn(table=table, user="u-alice"), "a"), "secret")
    assert await recall(ToolContext.of(turn(table=table, user="u-bob"), "a")) == NOTHING


async def test_forgetting_says_what_was_removed() -> None:
    """One note or several, each in its own words; or that none matched."""
    table, clock = MemoryTable(), ManualClock()
    for number, text in enumerate(("my code is X17", "X17 is old", "I live in Kiel")):
        await remember(ToolContext.of(turn(table=table, clock=clock), f"c-{number}"), text)
        clock.advance(1)
    context = ToolContext.of(turn(table=table, clock=clock), "f")
    assert await forget_note(context, "X17") == "Removed 2 notes:\n- my code is X17\n- X17 is old"
    assert await forget_note(context, " X17") == 'No note holds "X17": nothing was removed.'
    assert await forget_note(context, "kiel") == "Removed 1 note:\n- I live in Kiel"
    assert await recall(context) == NOTHING
