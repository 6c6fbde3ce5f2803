"""Do calls, bytes and log grow with a run and with a thread as its events do, or faster?"""

from collections.abc import Awaitable, Iterable
from typing import Final

from bench.cost import Cost
from bench.growth import MARK, TOLERANCE, Series
from bench.report import Section
from bench.sizes import Size, by_events, by_length, by_thread
from bench.stage import Stage, with_agents
from bench.talking import Told, attach, read_back, told
from tests.live.kit.chat import Chat

STEPS: Final = (10, 20, 40, 80)
SECONDS: Final = (1, 2, 4, 8)
CHARACTERS: Final = (20_000, 40_000, 80_000, 160_000)
EARLIER: Final = (0, 10, 40, 120)
STILL: Final = 2
"""From this one of `EARLIER` on a run may cost no more, however long the thread: a model is given 20 turns, and a page
of history shows 20 at most."""
FORGIVEN_EVERY: Final = 50
"""A user may start 60 runs a minute."""
AGAINST: Final = {
    "steps": "the events",
    "stream": "the events",
    "text": "the characters",
    "thread": "the thread's events, for the history as a whole, and of the run's own events, for all else",
}
_SHORT: Final = "steps=1"
_QUIET_S: Final = 0.1
"""The router alone is at work, and has nothing to do after its reply."""


async def growing() -> list[Section]:
    """Runs of growing length, each in a thread of its own; then ever more short runs in one thread."""
    async with with_agents() as stage:
        async with Chat(stage.app.url, "growing") as chat, Chat(stage.app.url, "growing") as visitor:
            await told(chat, _SHORT)
            await stage.since("before")
            steps = [await _alone(stage, chat, visitor, f"steps={number}") for number in STEPS]
            streams = [await _alone(stage, chat, visitor, f"stream={seconds}") for seconds in SECONDS]
            texts = [await _alone(stage, chat, visitor, f"characters={number}") for number in CHARACTERS]
        async with Chat(stage.app.url, "lasting") as chat, Chat(stage.app.url, "lasting") as visitor:
            threads = await _lasting(stage, chat, visitor)
    return [
        _section("steps", "a run grows with its steps, each a response and a tool call", STEPS, by_events(steps)),
        _section("stream", "a run grows with the seconds that it streams", SECONDS, by_events(streams)),
        _section("text", "a run grows with the characters of its answer", CHARACTERS, by_length(texts, CHARACTERS)),
        _section("thread", "a short run grows with the runs before it", EARLIER, by_thread(threads, still=STILL)),
    ]


async def _alone(stage: Stage, chat: Chat, visitor: Chat, text: str) -> Size:
    run = await told(chat, text)
    cost = Cost.of(await stage.since(text))
    return await _looked_at(stage, visitor, run, cost, all_events=run.events)


async def _lasting(stage: Stage, chat: Chat, visitor: Chat) -> list[Size]:
    """One thread. The run that is counted at one size is one of the earlier ones at the next."""
    sizes: list[Size] = []
    thread, runs, events = None, 0, 0
    for earlier in EARLIER:
        while runs < earlier:
            fresh = " fresh=1" if runs % FORGIVEN_EVERY == 0 else ""
            run = await told(chat, _SHORT + fresh, thread=thread)
            thread, runs, events = run.thread_id, runs + 1, events + run.events
        await stage.since("before")
        run = await told(chat, _SHORT, thread=thread)
        cost = Cost.of(await stage.since("run"))
        thread, runs, events = run.thread_id, runs + 1, events + run.events
        sizes.append(await _looked_at(stage, visitor, run, cost, all_events=events))
    return sizes


async def _looked_at(stage: Stage, visitor: Chat, run: Told, cost: Cost, *, all_events: int) -> Size:
    """Another device catches up with the run, opens its thread, and reads a page of history, then all of it."""
    thread = run.thread_id

    async def counted(work: Awaitable[int]) -> Cost:
        await work
        return Cost.of(await stage.since("looked", quiet_s=_QUIET_S))

    async def left() -> None:
        await visitor.ask("detach", thread_id=thread)
        await stage.since("left", quiet_s=_QUIET_S)

    missed = await counted(attach(visitor, thread, after={run.run_id: 0}))
    await left()
    opened = await counted(attach(visitor, thread))
    await left()
    page = await counted(read_back(visitor, thread, most=1))
    history = await counted(read_back(visitor, thread))
    return Size(run.events, all_events, cost, missed, opened, page, history)


def _section(key: str, title: str, sizes: tuple[int, ...], series: Iterable[Series]) -> Section:
    series = tuple(series)
    notes = [
        f"growth: of the last size over the first; held against: the growth of {AGAINST[key]}; ratio: of the two",
        f"steepest: the greatest ratio from one size to the next; over {1 + TOLERANCE:.1f}, it {MARK}",
    ]
    if key == "thread":
        notes.append(f"from {EARLIER[STILL]} earlier runs on a run may cost no more; before, its model is given more")
    return Section(
        key=f"growth_{key}",
        title=f"How {title}",
        columns=("what", *(f"{size:,}" for size in sizes), "growth", "held against", "ratio", "steepest", "verdict"),
        rows=tuple(one.row() for one in series),
        notes=tuple(notes),
        findings=tuple(f"{key}: {one.what} {MARK}, {one.steepest:.2f} times in a step" for one in series if one.faster),
    )
