"""What does it cost to attach: to a thread at rest, to a run under way, after a while away, to a long log?"""

import asyncio
from typing import Final

from bench.cost import KINDS, Cost
from bench.report import Cell, Section
from bench.stage import Stage, with_agents
from bench.talking import Told, attach, say, told
from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame

STEPS: Final = 10
LONG_STEPS: Final = 180
HELD_S: Final = 3
_NOTICED_S: Final = 0.8
"""The engine of a run under way looks for new devices twice a second; what the client has may still be on its way
through the proxy."""


async def attaching() -> list[Section]:
    """One device runs, another of the same user attaches."""
    async with (
        with_agents() as stage,
        Chat(stage.app.url, "attaching") as runner,
        Chat(stage.app.url, "attaching") as visitor,
    ):
        run = await told(runner, f"steps={STEPS}")
        long = await told(runner, f"steps={LONG_STEPS}")
        rows = [
            await _visit(stage, visitor, "a thread at rest", run, held=None),
            await _running(stage, runner, visitor),
        ]
        for what, one in (("a run that ended", run), ("a long run that ended", long)):
            cursors = (0, one.events // 2, one.events)
            rows += [await _visit(stage, visitor, what, one, held=held) for held in cursors]
    return [
        Section(
            key="attach",
            title="What attaching costs: the router's calls",
            columns=(
                "attaching to", "events", "cursor", "missed", "requests", *KINDS.values(), "all", "a missed event",
                "bytes read", "read units", "write units", "frames",
            ),
            rows=tuple(rows),
            notes=(
                "events: those in the run's log; requests: one replays 300 events or 256 KB at most, then says `more`",
                "bytes read: bodies of DynamoDB's answers; frames: what the device received, `attached` among it",
                "a run under way: its engine's calls are left out, but not its frames",
            ),
        )
    ]  # fmt: skip


async def _running(stage: Stage, runner: Chat, visitor: Chat) -> tuple[Cell, ...]:
    """Attaches while the model is silent for a few seconds."""
    await stage.since("before")
    accepted = await say(runner, f"steps={STEPS} silence={HELD_S}")
    thread = accepted["thread_id"]
    last = await runner.until(lambda frame: _is_last_word(frame, accepted["run_id"]))
    await asyncio.sleep(_NOTICED_S)
    stage.recorder.phase("running")
    seen = len(visitor.frames)
    requests = await attach(visitor, thread)
    await asyncio.sleep(_NOTICED_S)
    cost = Cost.of(stage.recorder.phase("attach"), function="router")
    frames = len(visitor.frames) - seen
    await runner.end_of(accepted["run_id"])
    await visitor.ask("detach", thread_id=thread)
    events: int = last["seq"]
    return "a run under way", events, None, events, requests, *_told(cost, missed=events), frames


async def _visit(stage: Stage, visitor: Chat, what: str, run: Told, *, held: int | None) -> tuple[Cell, ...]:
    """Attaches with what the device holds of the run as its cursor, or without one."""
    await stage.since("before")
    seen = len(visitor.frames)
    requests = await attach(visitor, run.thread_id, after=None if held is None else {run.run_id: held})
    cost = Cost.of(await stage.since("attach"), function="router")
    frames = len(visitor.frames) - seen
    await visitor.ask("detach", thread_id=run.thread_id)
    missed = 0 if held is None else run.events - held
    return what, run.events, held, missed, requests, *_told(cost, missed=missed), frames


def _told(cost: Cost, *, missed: int) -> tuple[Cell, ...]:
    per_event = cost.all / missed if missed else None
    return *cost.by_kind, cost.all, per_event, cost.bytes_read, cost.units.read, cost.units.write


def _is_last_word(frame: Frame, run: str) -> bool:
    return frame.get("run_id") == run and frame["type"] == "agent_delta" and frame["payload"]["text"] == "So it is. "
