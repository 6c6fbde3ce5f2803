"""When environments died, read off the emulator's log as it is printed."""

import asyncio
import re
import time
from dataclasses import dataclass

LOOK_S = 0.05
_DIED = re.compile(r"\[(\w+)\].*(?:Error: Runtime exited with error: (.*)|Task (timed out))")


@dataclass(frozen=True)
class Death:
    """An environment that ended in the middle of an invocation; `at` in seconds since the epoch."""

    function: str
    at: float
    why: str


class DeathWatch:
    """Looks at new lines twenty times a second, until it is cancelled."""

    def __init__(self, lines: list[str]) -> None:
        self.deaths: list[Death] = []
        self._lines = lines
        self._read = 0

    async def run(self) -> None:
        """Notes each death when its line is there."""
        while True:
            for line in self._lines[self._read :]:
                self._read += 1
                if died := _DIED.search(line):
                    self.deaths.append(Death(died.group(1), time.time(), (died.group(2) or died.group(3)).strip()))
            await asyncio.sleep(LOOK_S)
