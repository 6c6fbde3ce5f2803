"""Where nobody is told of an engine's death, its lease runs out, and a sweep finds the run."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.client import Frame
from tests.live.kit.control import ENGINE, RECOVERY, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.reducer import viewed
from tests.live.kit.steps import accepted, resumes, speaks, sweep, whole

LEASE_S = 22.0
"""A lease lasts for 20 s."""


@dataclass(frozen=True)
class Aftermath:
    """What clients saw of two runs whose engines died unnoticed, one cancelled meanwhile, and of a third that lives."""

    lost: list[Frame]
    cancelled: list[Frame]
    history: list[Frame]
    silent: list[Frame]
    before_the_lease: int


@pytest.fixture(scope="module")
def aftermath(unswept: EmulatorProcess) -> Aftermath:
    """Two engines are killed and the notices are lost. When the leases are over a sweep begins and is killed, then
    three begin at the same moment."""
    return asyncio.run(_live_through(unswept))


async def _live_through(emulator: EmulatorProcess) -> Aftermath:
    faults = Control(emulator.url)
    await faults.inject("kill_environments", function=ENGINE)  # those that other tests have left
    async with AsyncExitStack() as stack:
        lost, cancelled, silent = [
            await stack.enter_async_context(Chat(emulator.url, name)) for name in ("lost", "cancelled", "silent")
        ]
        runs = [await accepted(client, "x", agent="talking") for client in (lost, cancelled)]
        for client, run in zip((lost, cancelled), runs, strict=True):
            await speaks(client, run)
        await faults.inject("event_lost", function=RECOVERY, count=2)
        assert (await faults.inject("kill_environments", function=ENGINE))["killed"] == 2
        assert (await cancelled.ask("cancel", run_id=runs[1]["run_id"]))["type"] == "cancelling"
        alive = await accepted(silent, "x", agent="silent")
        await speaks(silent, alive)
        await sweep(emulator)
        before = len(lost.frames) + len(cancelled.frames)
        await asyncio.sleep(LEASE_S)
        assert await faults.standing() == [], "both notices were lost"
        before = len(lost.frames) + len(cancelled.frames) - before
        await faults.inject("invocation_killed", function=RECOVERY, after_s=0.03)
        await sweep(emulator, dies=True)
        await asyncio.gather(*(sweep(emulator) for _ in range(3)))
        told = await whole(lost, runs[0]), await whole(cancelled, runs[1])
        history = await cancelled.ask("history", thread_id=runs[1]["thread_id"])
        await silent.ask("cancel", run_id=alive["run_id"])
        return Aftermath(*told, history["messages"], await whole(silent, alive), before)


def test_nothing_happens_before_the_lease_is_over(aftermath: Aftermath) -> None:
    """A sweep while the lease still runs does nothing: the engine may be alive."""
    assert aftermath.before_the_lease == 0


def test_the_run_is_resumed_once(aftermath: Aftermath) -> None:
    """One of the sweeps resumes the run, and it completes."""
    assert resumes(aftermath.lost) == ["engine_lost"]
    assert aftermath.lost[-1]["type"] == "agent_completed"


def test_a_cancel_that_the_engine_never_saw_is_carried_out(aftermath: Aftermath) -> None:
    """A cancelled run is not resumed: it ends as cancelled."""
    assert resumes(aftermath.cancelled) == []
    assert aftermath.cancelled[-1]["type"] == "agent_cancelled"


def test_what_was_said_before_it_was_cancelled_is_kept(aftermath: Aftermath) -> None:
    """The history of the cancelled run ends with the text that its dead engine had said."""
    assert viewed(aftermath.cancelled).said() != ""
    assert aftermath.history[-1]["text"] == viewed(aftermath.cancelled).said()


def test_a_living_engine_is_left_alone(aftermath: Aftermath) -> None:
    """A run whose engine has been silent for longer than a lease, but lives, is not resumed by any sweep."""
    assert resumes(aftermath.silent) == []
    assert aftermath.silent[-1]["type"] == "agent_cancelled"
