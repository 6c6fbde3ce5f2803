"""What it means for a step in a run's life that a condition of it did not hold, by the condition's name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dayfly.errors import Superseded
from dayfly.log.batch import Batch
from dayfly.log.reader import steps_of
from dayfly.log.writer import Transition
from dayfly.protocol.frames import IfBusy, Run
from dayfly.runs.admit import Admit, RequestKnown, look
from dayfly.runs.begin import Begin, RunFacts
from dayfly.runs.end import End
from dayfly.runs.lease import as_read, held_by
from dayfly.runs.pause import Pause
from dayfly.runs.resume import OpenAttempt
from dayfly.store.rows import LeaseRow, LogRow, RequestRow, RequestState, Row
from dayfly.store.table import Absent, Matches
from tests.fakes.world import World, caller
from tests.unit.delivery.support import Stage, staged

AGAIN = None
"""The transition is planned again."""


@dataclass(frozen=True)
class Scene:
    """An admitted run with one that waits behind it, and the record that a transition goes with."""

    world: World
    stage: Stage
    lease: LeaseRow
    row: LogRow
    batch: Batch


async def set_up(world: World) -> Scene:
    stage = await staged(world)
    await world.queued(stage.call)
    row = replace(world.rows(LogRow)[0], first=2, last=2)
    batch = Batch(events=(), journal=(), steps=(), first=2, last=2, outcome=None)
    return Scene(world, stage, world.leases()[0], row, batch)


async def admit(scene: Scene) -> Transition[Any]:
    """A run that interrupts the one under way."""
    frame = Run(action="run", id="m-9", text="Hi", thread_id=scene.stage.call.thread_id, if_busy=IfBusy.INTERRUPT)
    run = replace(scene.stage.run, ref=replace(scene.stage.run.ref, run_id="r-new"), admitted=2**41)
    found = await look(scene.world.table, caller(), frame)
    return Admit(scene.world.table, caller(), frame, run=run, content="c", found=found)


async def admit_at_once(scene: Scene) -> Transition[Any]:
    """A run that opens a thread."""
    frame = Run(action="run", id="m-9", text="Hi")
    run = replace(scene.stage.run, ref=replace(scene.stage.run.ref, run_id="r-new", thread_id="t-new"))
    found = await look(scene.world.table, caller(), frame)
    return Admit(scene.world.table, caller(), frame, run=run, content="c", found=found)


async def begin(scene: Scene) -> Transition[Any]:
    facts = RunFacts(scene.stage.run, scene.world.thread(scene.stage.call.thread_id), scene.lease)
    return Begin(scene.world.clock, facts)


async def open_next(scene: Scene) -> Transition[Any]:
    run = scene.stage.run
    return OpenAttempt(run=run, later=run, lease_is=lambda: Matches(**as_read(scene.lease)))


async def pause(scene: Scene) -> Transition[Any]:
    run = scene.stage.run
    return Pause(
        run=run, lease=scene.lease, call_ids=("c",), expires=9, lease_is=lambda: Matches(**held_by(run, "mine"))
    )


async def end(scene: Scene) -> Transition[Any]:
    table, run = scene.world.table, scene.stage.run
    return End(
        table,
        run=run,
        steps=lambda: steps_of(table, user_id=run.user_id, run_id=run.run_id),
        lease_is=lambda: Matches(**as_read(scene.lease)),
    )


Meaning = type[Exception] | None
MEANS: dict[Callable[[Scene], Any], dict[str, Meaning]] = {
    admit: {
        "request": RequestKnown,
        "thread": AGAIN,
        "run": AGAIN,
        "quota": AGAIN,
        "attachment": AGAIN,
        "cancel mark": AGAIN,
    },
    admit_at_once: {
        "request": RequestKnown,
        "thread": AGAIN,
        "run": AGAIN,
        "quota": AGAIN,
        "attachment": AGAIN,
        "lease": AGAIN,
    },
    begin: {"run": Superseded, "thread": Superseded, "lease": Superseded},
    open_next: {"run": Superseded, "lease": Superseded},
    pause: {"run": Superseded, "lease": Superseded},
    end: {"thread": AGAIN, "quota": AGAIN, "cancel mark": AGAIN, "next lease": AGAIN, "lease": Superseded},
}
REQUEST = RequestRow(user_id="u-alice", request_id="m-9", state=RequestState.ADMITTED, run_id="r-1", expires=1)


@pytest.mark.parametrize("make", MEANS, ids=lambda make: make.__name__)
async def test_every_condition_has_a_name_and_a_meaning(world: World, make: Callable[[Scene], Any]) -> None:
    """A condition that is added to a plan is added here, with what its loss means."""
    scene = await set_up(world)
    plan = await (await make(scene)).plan(scene.row, scene.batch)
    assert plan.actions.keys() == MEANS[make].keys()


async def test_an_admission_takes_nobodys_place(world: World) -> None:
    """Run and lease are written where there is none, so that of two admissions with one id one is planned anew."""
    scene = await set_up(world)
    plan = await (await admit_at_once(scene)).plan(scene.row, scene.batch)
    assert {name: plan.actions[name].when for name in ("run", "lease")} == {"run": Absent(), "lease": Absent()}


@pytest.mark.parametrize(
    ("make", "name", "meaning"), [(make, name, meaning) for make in MEANS for name, meaning in MEANS[make].items()]
)
async def test_a_lost_condition_means_one_thing(
    world: World, make: Callable[[Scene], Any], name: str, meaning: Meaning
) -> None:
    """Somebody else has the run, or what it depends on has moved and is looked at again."""
    scene = await set_up(world)
    transition = await make(scene)
    there: Row | None = REQUEST if name == "request" else None
    if meaning is AGAIN:
        assert transition.lost({name: there}) is None
    else:
        with pytest.raises(meaning):
            transition.lost({name: there})


@pytest.mark.parametrize("make", [begin, open_next, pause], ids=lambda make: make.__name__)
async def test_a_loss_is_told_by_name(world: World, make: Callable[[Scene], Any]) -> None:
    """Whoever reads the log of the functions finds which row had moved, or which two."""
    transition = await make(await set_up(world))
    with pytest.raises(Superseded, match=r"\brun, lease\b"):
        transition.lost({"run": None, "lease": None})
    with pytest.raises(Superseded) as only:
        transition.lost({"lease": None})
    assert "run," not in str(only.value)


async def test_the_loss_of_a_lease_outweighs_a_moved_thread(world: World) -> None:
    """Who does not have the run does not end it, whatever else there is to look at again."""
    transition = await end(await set_up(world))
    with pytest.raises(Superseded):
        transition.lost({"thread": None, "quota": None, "lease": None})


async def test_a_request_that_is_gone_again_is_looked_for_again(world: World) -> None:
    """TTL removes a row whenever it likes: then the id is free."""
    transition = await admit(await set_up(world))
    transition.lost({"request": None})
    with pytest.raises(RequestKnown) as known:
        transition.lost({"thread": None, "request": REQUEST})
    assert known.value.request == REQUEST
