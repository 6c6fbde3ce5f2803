"""Tools that any agent may list."""

from dayfly.agents.tools.calculate import calculate
from dayfly.agents.tools.clock import current_time
from dayfly.agents.tools.history import search_history
from dayfly.agents.tools.notes import recall, remember

__all__ = ["calculate", "current_time", "recall", "remember", "search_history"]
