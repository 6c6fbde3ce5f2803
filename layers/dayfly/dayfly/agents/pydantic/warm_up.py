"""One run for nobody, so that the first user's run does not pay for what a library loads on first use."""

import asyncio

from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.testing import ask


def greet() -> str:
    """Greets."""
    return "Good day."


def warm_up() -> None:
    """Runs a tiny agent with the demo model and one tool. Call it once in a function's init phase, outside any event
    loop: pydantic-ai loads its price list and its async back end with the first model and the first run, which takes
    longer than everything else in a warm run."""
    asyncio.run(ask(AgentDefinition(instructions="Greet.", tools=(greet,)), "greet"))
