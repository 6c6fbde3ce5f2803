"""From a client's frame to `accepted` and to `agent_started`: warm, cold, and warmed up at connect."""

import asyncio
import itertools
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.emulated import ENGINE, Emulated, copy_application, copy_floor
from bench.report import Cell, Section
from bench.socket import Exchange, Socket, token_for
from bench.summary import summary

WARM = 30
COLD = 5
QUESTION = "What is 17 * 23?"
STARTED = frozenset({"agent_started"})
_LOOK_S = 0.4
"""The emulator looks for changed files every 0.3 s."""
_users = itertools.count(1)

Samples = defaultdict[str, list[float]]

_CONNECT = "connect"
_READY = "connected → engine warmed up"
_STATES = ("warm:", "warmed up:", "sent at once:", "cold engine:", "cold:", "connect", "connected")
_FLOORS = {
    f"{state}: frame → {kind}": f"{floor}: frame → {kind}"
    for state, floor in (("warmed up", "warm"), ("sent at once", "cold engine"))
    for kind in ("accepted", "agent_started")
}
"""Where another state of the floor is what a figure stands beside."""


async def path() -> list[Section]:
    """Runs the application and the floor on two emulators side by side, one sample of each in turn."""
    with TemporaryDirectory(prefix="bench-") as folder:
        template, floor_template = copy_application(Path(folder) / "app"), copy_floor(Path(folder) / "floor")
        async with Emulated(template) as app, Emulated(floor_template) as floor:
            return await _measured(app, floor)


async def _measured(app: Emulated, floor: Emulated) -> list[Section]:
    ours: Samples = defaultdict(list)
    base: Samples = defaultdict(list)
    await _warm(app, floor, ours, base)
    for _ in range(COLD):
        await _cold(app, floor, ours, base)
    for _ in range(COLD):
        await _connecting(app, floor, ours, base)
    rows = [_row(what, taken, base.get(_FLOORS.get(what, what))) for what, taken in sorted(ours.items(), key=_order)]
    return [
        Section(
            key="path",
            title="From the client's frame, on the emulator, ms",
            columns=("what", "n", "p50", "max", "floor n", "floor p50", "floor max", "ratio of p50"),
            rows=tuple(rows),
            notes=(
                "floor: plain boto3, same emulator, the same DynamoDB calls, posts and invocation; no agent, no auth",
                "cold: each function that the frame meets starts anew; cold engine: the engine alone (floor: worker)",
                "warmed up: a new user's first frame, sent when the warm-up of $connect is over; beside the warm floor",
                "sent at once: a new user's first frame, right after the handshake; beside the floor's cold worker",
                "connect: fetching a token, authorizer and $connect; the floor's connect has neither",
            ),
        )
    ]


async def _warm(app: Emulated, floor: Emulated, ours: Samples, base: Samples) -> None:
    user = _user()
    async with Socket(app.url, token=await _token(app, user)) as chat, Socket(floor.url) as echo:
        for number in range(WARM + 1):
            mine, bare = await chat.run(QUESTION), await echo.run(QUESTION, until=STARTED, user=user)
            if number:  # the first meets cold environments
                _take(ours, mine, "warm")
                _take(base, bare, "warm")
            await _breathe()


async def _cold(app: Emulated, floor: Emulated, ours: Samples, base: Samples) -> None:
    user = _user()
    before = app.begun(ENGINE)
    async with Socket(app.url, token=await _token(app, user)) as chat, Socket(floor.url) as echo:
        # The engine that the warm-up makes is thrown away below; it must not be in the making then.
        await app.until(lambda: app.begun(ENGINE) > before)
        for name, own, bare in (
            ("cold", ("functions/router/app.py", "functions/engine/app.py"), ("front/app.py", "worker/app.py")),
            ("cold engine", ("functions/engine/app.py",), ("worker/app.py",)),
        ):
            app.touch(*own)
            floor.touch(*bare)
            await asyncio.sleep(_LOOK_S)
            _take(ours, await chat.run(QUESTION), name)
            await _breathe()
            _take(base, await echo.run(QUESTION, until=STARTED, user=user), name)
            await _breathe()


async def _connecting(app: Emulated, floor: Emulated, ours: Samples, base: Samples) -> None:
    """Two new users: one who takes the time to type, and one who does not."""
    patient, hasty = _user(), _user()
    began = time.perf_counter()
    before = app.begun(ENGINE)
    async with Socket(app.url, token=await _token(app, patient)) as chat:
        opened = time.perf_counter()
        await app.until(lambda: app.begun(ENGINE) > before)
        ours[_READY].append((time.perf_counter() - opened) * 1000)
        ours[_CONNECT].append((opened - began) * 1000)
        _take(ours, await chat.run(QUESTION), "warmed up")
    await app.settled()
    began = time.perf_counter()
    async with Socket(floor.url):
        base[_CONNECT].append((time.perf_counter() - began) * 1000)
    async with Socket(app.url, token=await _token(app, hasty)) as chat:
        _take(ours, await chat.run(QUESTION), "sent at once")
    await app.settled()


def _take(samples: Samples, exchange: Exchange, state: str) -> None:
    for kind in ("accepted", "agent_started"):
        samples[f"{state}: frame → {kind}"].append(exchange.first[kind] * 1000)


def _row(what: str, taken: list[float], floor: list[float] | None) -> tuple[Cell, ...]:
    own = summary(taken)
    if floor is None:
        return what, own.n, own.p50, own.worst, None, None, None, None
    base = summary(floor)
    return what, own.n, own.p50, own.worst, base.n, base.p50, base.worst, own.p50 / base.p50


def _order(item: tuple[str, list[float]]) -> int:
    return next(place for place, state in enumerate(_STATES) if item[0].startswith(state))


async def _token(app: Emulated, user: str) -> str:
    return await asyncio.to_thread(token_for, app.url, user)


async def _breathe() -> None:
    # What a run leaves to do (its lease, its environment's freezing) is not to fall into the next sample.
    await asyncio.sleep(0.05)


def _user() -> str:
    return f"bench{next(_users)}"
