"""How many AWS calls does a run take, by kind, with one device or several that watch it?"""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from bench.cost import KINDS, Cost
from bench.report import Cell, Section
from bench.stage import Stage, with_agents
from bench.talking import attach, told
from tests.live.kit.chat import Chat

DEVICES: Final = (1, 3, 10)
SILENCE_S: Final = 6
STREAM_S: Final = 3
RUNS: Final = {
    f"silent for {SILENCE_S} s": f"silence={SILENCE_S}",
    f"streaming for {STREAM_S} s": f"stream={STREAM_S}",
}


async def devices() -> list[Section]:
    """A silent run and a streaming one, each watched by so many devices of one user, who is another each time."""
    rows: dict[str, list[tuple[Cell, ...]]] = {name: [] for name in RUNS}
    async with with_agents() as stage:
        for count in DEVICES:
            async with AsyncExitStack() as stack:
                chats = [await stack.enter_async_context(Chat(stage.app.url, f"watched{count}")) for _ in range(count)]
                thread = (await told(chats[0], "steps=1")).thread_id
                for chat in chats[1:]:
                    await attach(chat, thread)
                for name, text in RUNS.items():
                    rows[name].append((name, count, *await _counted(stage, chats, text, thread=thread)))
    return [
        Section(
            key="devices",
            title="AWS calls of a run, by kind and number of attached devices",
            columns=(
                "run", "devices", "s", "events", *KINDS.values(), "all", "an event", "a second", "read units",
                "write units", "frames an event and device",
            ),
            rows=tuple(row for kind in rows.values() for row in kind),
            notes=(
                "from the frame `run` until nothing goes on any more: admission, engine, ending",
                "events: what the log holds; frames: what the devices received, heartbeats and the reply among them",
                "silent or not, a run looks for new devices and cancel marks twice a second (Query), and renews its"
                " lease every 5 s (Put)",
            ),
        )
    ]  # fmt: skip


async def _counted(stage: Stage, chats: Sequence[Chat], text: str, *, thread: str) -> tuple[Cell, ...]:
    await stage.since("before")
    seen = sum(len(chat.frames) for chat in chats)
    began = time.perf_counter()
    events = (await told(chats[0], text, thread=thread)).events
    seconds = time.perf_counter() - began
    cost = Cost.of(await stage.since(text))
    frames = sum(len(chat.frames) for chat in chats) - seen
    return (
        seconds,
        events,
        *cost.by_kind,
        cost.all,
        cost.all / events,
        cost.all / seconds,
        cost.units.read,
        cost.units.write,
        frames / events / len(chats),
    )
