"""Searching the user's own threads."""

from datetime import UTC, datetime
from typing import Final

from dayfly.agents.sdk.tool_context import ToolContext

MOST: Final = 10


async def search_history(context: ToolContext, query: str, limit: int = 5) -> str:
    """Finds messages in the user's earlier conversations, by the words they hold.

    Args:
        query: Words that a message must hold, all of them.
        limit: How many messages to return, at most 10.
    """
    found = await context.threads.find(query, limit=max(1, min(limit, MOST)))
    if not found:
        return f'Nothing was found for "{query}".'
    return "\n".join(
        f'- {datetime.fromtimestamp(hit.at / 1000, UTC):%Y-%m-%d}, in "{hit.title}", {hit.said_by} said: {hit.excerpt}'
        for hit in found
    )
