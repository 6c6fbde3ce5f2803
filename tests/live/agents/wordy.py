"""Says a great deal, fast: a text of so many kilobytes as the message says, in pieces of sixteen."""

import re
from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, Delta, Thinking, Turn

PIECE = "sixteen letters " * 64


class Wordy:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        found = re.search(r"\d+", turn.text)
        pieces = int(found.group()) if found else 1
        for number in range(pieces):
            if number % 16 == 0:
                yield Thinking(f"Words from {number} on.", number // 16 + 1)
            yield Delta(PIECE)
        yield Answered(PIECE * ((pieces - 1) % 16 + 1))


agent = Wordy
