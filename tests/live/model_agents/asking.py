"""Is served by the scripted model behind the base URL, and asks its user before it does anything."""

from dayfly.agents.sdk import AgentDefinition, Tool


def buy(what: str) -> str:
    """Buys."""
    return f"bought {what}"


def read(size: int) -> str:
    """Reads a long file."""
    return f"HEAD{'x' * size}TAIL"


agent = AgentDefinition(instructions="Help.", tools=(Tool(buy, requires_approval=True), Tool(read, idempotent=True)))
