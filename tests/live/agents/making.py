"""Makes files and a structured answer, after a call that cannot be carried out."""

from collections.abc import AsyncIterator

from dayfly.agents.sdk import AgentEvent, Answered, ToolAnswered, ToolEnded, ToolOutcome, ToolStarted, Turn
from dayfly.log.messages import ToolFile

FILES = (
    ToolFile("chart.png", "image/png", url="https://files.example/chart.png", size=12_345),
    ToolFile("kept.csv", "text/csv", url="s3://bucket/kept.csv"),
    ToolFile("odd.html", "text/html", url="http://files.example/odd.html"),
)
ANSWER = '{"total": 391, "parts": [17, 23]}'


class Making:
    async def run(self, turn: Turn) -> AsyncIterator[AgentEvent]:
        yield ToolEnded(ToolAnswered("c-1", "draw", "`size` is missing", ToolOutcome.ERROR), 0)
        yield ToolStarted("draw", "c-2", {"size": 3})
        yield ToolEnded(ToolAnswered("c-2", "draw", "Drawn.", files=FILES), 5)
        yield Answered(ANSWER, output={"total": 391, "parts": [17, 23]})


agent = Making
