"""Tools that any agent may list. All may be carried out twice; to forget a note takes the user's approval."""

from typing import Final

from dayfly.agents.sdk.definition import Tool
from dayfly.agents.tools import notes
from dayfly.agents.tools.calculate import calculate as _calculate
from dayfly.agents.tools.clock import current_time as _current_time
from dayfly.agents.tools.history import search_history as _search_history

__all__ = ["calculate", "current_time", "forget_note", "recall", "remember", "search_history"]

calculate: Final = Tool(_calculate, idempotent=True)
current_time: Final = Tool(_current_time, idempotent=True)
forget_note: Final = Tool(notes.forget_note, requires_approval=True, idempotent=True)
recall: Final = Tool(notes.recall, idempotent=True)
remember: Final = Tool(notes.remember, idempotent=True)
search_history: Final = Tool(_search_history, idempotent=True)
