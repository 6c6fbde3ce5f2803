"""Searching the history, as a tool."""

from dayfly.agents.sdk.tool_context import ToolContext
from dayfly.agents.tools.history import search_history
from dayfly.log.messages import UserSaid
from dayfly.store.memory import MemoryTable
from tests.unit.agents.support import turn
from tests.unit.history.test_search import add


async def test_each_find_says_when_where_and_who() -> None:
    """One line a message."""
    table = MemoryTable()
    await add(table, "t-1", (UserSaid("I live in Kiel."),))
    found = await search_history(ToolContext.of(turn(table=table), "a"), "kiel")
    assert found == '- 1970-01-01, in "About t-1", you said: I live in Kiel.'


async def test_nothing_found_is_said() -> None:
    """The answer names what was looked for."""
    assert await search_history(ToolContext.of(turn(), "a"), "Kiel") == 'Nothing was found for "Kiel".'
