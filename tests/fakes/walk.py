"""Walks: one thing done again and again, each time with the next of its calls of the table failing."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tests.fakes.faulty_table import Fault, Halt
from tests.fakes.world import World

SceneT = TypeVar("SceneT")

WAYS: tuple[Fault | Halt, ...] = (*Fault, *Halt)
"""A call may be refused, its answer may be lost, and its process may die before or after it."""


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
