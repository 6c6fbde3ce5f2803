"""Walks: one thing done again and again, each time with the next of its calls of the table failing, or with something
else happening at that call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from tests.fakes.faulty_table import Call, Fault, Halt
from tests.fakes.world import World

SceneT = TypeVar("SceneT")

WAYS: tuple[Fault | Halt, ...] = (*Fault, *Halt)
"""A call may be refused, its answer may be lost, and its process may die before or after it."""
HELD_UP_S: Final = 0.001
"""Virtual time passes only when nothing else can go on: whoever is not held up comes first."""


async def walk(
    way: Fault | Halt,
    *,
    begin: Callable[[World], Awaitable[SceneT]],
    act: Callable[[World, SceneT], Coroutine[Any, Any, Any]],
    check: Callable[[World, SceneT], Awaitable[None]],
) -> int:
    """In a new world each time: sets the scene, acts with the next call of the table failing in this way, and checks
    what came of it. Says how many calls were walked."""
    number = 0
    while True:
        world = World()
        scene = await begin(world)
        if isinstance(way, Halt):
            came = await world.dies_at(number, act(world, scene), halt=way)
        else:
            first = len(world.table.calls)
            world.table.fail_once(number, way)
            await act(world, scene)
            came = len(world.table.calls) > first + number
            world.table.plan = lambda call: None
        await check(world, scene)
        if not came:
            return number
        number += 1


async def meet(
    *,
    begin: Callable[[World], Awaitable[SceneT]],
    one: Callable[[World, SceneT], Coroutine[Any, Any, Any]],
    other: Callable[[World, SceneT], Coroutine[Any, Any, Any]],
    check: Callable[[World, SceneT], Awaitable[None]],
) -> int:
    """In a new world each time: does one thing, and begins the other at the next of the first one's calls of the table,
    at that very moment or up to three turns of the loop later, or while that call is held up, so that the other
    overtakes it; then checks what came of both. Says how many calls the first one made."""
    number = 0
    while True:
        for turns in (*range(4), None):
            world = World()
            scene = await begin(world)
            met = await _met(world, one(world, scene), other(world, scene), number=number, turns=turns)
            await check(world, scene)
        if not met:
            return number
        number += 1


async def _met(
    world: World, one: Coroutine[Any, Any, Any], other: Coroutine[Any, Any, Any], *, number: int, turns: int | None
) -> bool:
    """Whether the first came to its call with this number; if not, the other begins behind it. `turns`: of the loop,
    before the other begins; `None`: it begins at once, and the call is held up."""
    at = len(world.table.calls) + number
    come = asyncio.Event()

    def plan(call: Call) -> float | None:
        if call.number != at:
            return None
        come.set()
        return HELD_UP_S if turns is None else None

    async def rival() -> None:
        await come.wait()
        for _ in range(turns or 0):
            await asyncio.sleep(0)
        await other

    world.table.plan = plan
    second = asyncio.create_task(rival())
    await one
    met = come.is_set()
    come.set()
    await second
    world.table.plan = lambda call: None
    return met
