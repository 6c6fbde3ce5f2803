"""The default agent."""

from dayfly.agents.sdk import AgentDefinition
from dayfly.agents.tools import calculate, current_time, forget_note, recall, remember, search_history

agent = AgentDefinition(
    instructions=(
        "You are a helpful assistant in a chat. Answer briefly and in the user's language. "
        "Use the tools for arithmetic, for the time, for notes about the user and for what was said in earlier "
        "threads, rather than guess. Say so when a tool could not help. Remove a note only where the user "
        "asks for that; the user is then asked to allow it, so do not ask yourself."
    ),
    tools=(calculate, current_time, remember, recall, forget_note, search_history),
)
