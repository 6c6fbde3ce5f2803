"""One seed, one schedule: played to the end, and checked."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from dayfly.ports.memory import table
from tests.simulation import bounds
from tests.simulation.checks import check_all
from tests.simulation.dice import Dice, loaded, replaced
from tests.simulation.hazards import Hazards
from tests.simulation.landmarks import watched
from tests.simulation.loop import Caught, SimLoop
from tests.simulation.store import size_where_it_matters
from tests.simulation.trace import Trace
from tests.simulation.weather import NO_BIAS, Bias, Weather
from tests.simulation.world import World

QUIET_WITHIN_S: Final = 3000.0
"""When nothing goes wrong any more, all runs must have ended after this time."""
LIFETIMES_S: Final = (10.0, 20.0, 40.0)
SOCKET_LIFE_S: Final = 2 * 3600.0


Breaking = Callable[[], AbstractContextManager[None]]
"""Changes the core for the time of a schedule."""


@dataclass(frozen=True)
class Outcome:
    """What came of a schedule. `lines` is its trace, if one was wanted; `reached` names what happened at all."""

    seed: int
    violations: tuple[str, ...]
    lines: tuple[str, ...]
    runs: int
    reached: frozenset[str]


def play(seed: int, *, traced: bool = False, variant: Breaking = nullcontext, bias: Bias = NO_BIAS) -> Outcome:
    """Plays one schedule. The same seed (and bias) gives the same schedule, in every process."""
    logging.disable(logging.CRITICAL)
    dice = Dice(seed)
    loop = SimLoop()
    trace = Trace() if traced else None
    hazards = Hazards.drawn(seed, bias)
    reached: set[str] = set()
    with (
        loaded(dice),
        bounds.drawn(dice),
        hazards.bounds(),
        replaced(table, "row_bytes", size_where_it_matters),
        watched(reached),
        variant(),
    ):
        weather = Weather.drawn(dice, bias)
        weather.skew_s = max(weather.skew_s, hazards.step_s)
        world = World(loop, dice, weather, hazards, lifetime_s=dice.pick(LIFETIMES_S), trace=trace)
        world.story.prefer(bias.deeds)
        try:
            loop.play(_scenario(world))
        except Caught as caught:
            world.truth.violated(str(caught))
        finally:
            # What razing brings about is no part of the schedule.
            violations, lines = tuple(world.truth.violations), tuple(trace.lines) if trace is not None else ()
            loop.raze()
            logging.disable(logging.NOTSET)
    return Outcome(seed, violations, lines, len(world.truth.runs), frozenset(world.truth.reached | reached))


async def _scenario(world: World) -> None:
    dice, story = world.dice, world.story
    world.later(dice.between(0.0, 60.0), world.platform.sweep)
    story.begin()
    await asyncio.sleep(story.span_s + dice.pick((1.5, 5.0, 30.0, 100.0)))
    world.calm()
    story.come_back()
    await _until(lambda: quiet(world) and settled(world), QUIET_WITHIN_S)
    if world.hazards.hours_s and quiet(world):
        await _hours_pass(world)
    story.look_at_all()
    await asyncio.sleep(3.0)
    await _until(lambda: quiet(world) and settled(world), 60.0)
    check_all(world)


async def _hours_pass(world: World) -> None:
    """Everybody is away for some hours, and does something once more."""
    away = world.hazards.hours_s > SOCKET_LIFE_S
    world.say(None, lambda: f"{world.hazards.hours_s / 3600:.1f} hours pass")
    if away:
        world.story.leave()
    await asyncio.sleep(world.hazards.hours_s)
    world.truth.reached.add(f"hours: {world.hazards.hours_s / 3600:.1f}")
    world.story.come_back()
    await asyncio.sleep(2.0)
    world.story.begin_again()
    await asyncio.sleep(world.story.span_s + 5.0)
    world.story.come_back()
    await _until(lambda: quiet(world) and settled(world), QUIET_WITHIN_S)


async def _until(done: Callable[[], bool], patience_s: float) -> None:
    until = asyncio.get_running_loop().time() + patience_s
    while not done() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  it looks at all the world
        await asyncio.sleep(6.0)


def quiet(world: World) -> bool:
    """Every run has ended, nobody works, nothing is on its way, nothing is left to look after."""
    platform = world.platform
    if platform.engines or platform.recovering or platform.routers or platform.queued or world.store.held.indexed:
        return False
    return not any(told.terminal is None for told in world.truth.runs.values())


def settled(world: World) -> bool:
    """Every client is connected, has its answers, and misses nothing that it knows of."""
    return all(device.settled for device in world.story.devices)
