"""How many bytes does a run leave in its log, by what it does?"""

from typing import Final

from bench.cost import Cost
from bench.report import Cell, Section
from bench.stage import Stage, with_agents
from bench.talking import SCRIPTED, told
from tests.live.kit.chat import Chat

QUESTION: Final = "What is 17 * 23?"
RUNS: Final = {
    f"“{QUESTION}” to the default agent": ("assistant", QUESTION),
    "silent for 2 s": (SCRIPTED, "silence=2"),
    "streaming for 3 s": (SCRIPTED, "stream=3"),
    "10 steps, results of 60 characters": (SCRIPTED, "steps=10"),
    "10 steps, results of 4,000 characters": (SCRIPTED, "steps=10 result=4000"),
    "10 steps, results of 40,000 characters": (SCRIPTED, "steps=10 result=40000"),
    "an answer of 60,000 characters at once": (SCRIPTED, "characters=60000"),
}


async def logged() -> list[Section]:
    """One run of each kind, watched by one device."""
    async with with_agents() as stage, Chat(stage.app.url, "writing") as chat:
        await told(chat, "steps=1")
        await stage.since("before")
        rows = [await _row(stage, chat, name, agent=agent, text=text) for name, (agent, text) in RUNS.items()]
    return [
        Section(
            key="log",
            title="What a run leaves in its log",
            columns=("run", "events", "batches", "log bytes", "an event", "bytes posted", "log over posted"),
            rows=tuple(rows),
            notes=(
                "log bytes: size of the LOG# items by DynamoDB's rules: the events as posted, and the private journal,"
                " which holds what the model was told whole, compressed",
                "bytes posted: the frames to the one device, the floor: what it was sent, `accepted` among it",
            ),
        )
    ]


async def _row(stage: Stage, chat: Chat, name: str, *, agent: str, text: str) -> tuple[Cell, ...]:
    events = (await told(chat, text, agent=agent)).events
    cost = Cost.of(await stage.since(name))
    posted = cost.bytes_posted
    return name, events, cost.log_items, cost.log_bytes, cost.log_bytes / events, posted, cost.log_bytes / posted
