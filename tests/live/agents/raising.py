"""Says something, then fails with a secret in its exception."""

from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Delta, Thinking, Turn


class Raising:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield Thinking("About to fail.", 1)
        yield Delta("So far so ")
        raise ZeroDivisionError("secret-detail-of-the-stack")


agent = Raising
