"""How long does a client wait when the engine's process is killed: for the word that the run goes on, and for more?"""

import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.emulated import ENGINE, NO_WARM_UP, Emulated, copy_application_with_agents, copy_floor
from bench.report import Cell, Section
from bench.socket import Socket, token_for
from bench.summary import summary
from bench.talking import SCRIPTED
from tests.live.kit.control import Control

WORKER: Final = "WorkerFunction"
SPEAKING: Final = 10
IN_A_TOOL: Final = 5
_USER: Final = "mourned"
_KILLED: Final = "killed while it speaks → "
_KILLED_IN_TOOL: Final = "killed in a tool that may not run twice → "
_RESUMED: Final = "agent_resumed"
_NEXT: Final = "the next engine's first event"
_END: Final = "the end, tool_outcome_unknown"

Samples = defaultdict[str, list[float]]


async def recovery() -> list[Section]:
    """Kills the engine of run after run, and in turn the worker of the floor, on two emulators side by side. The next
    run meets the environment in which the last one went on, so each kill costs a start and nothing else does."""
    ours: Samples = defaultdict(list)
    base: Samples = defaultdict(list)
    with TemporaryDirectory(prefix="bench-") as folder:
        template = copy_application_with_agents(Path(folder) / "app")
        floor_template = copy_floor(Path(folder) / "floor")
        async with (
            Emulated(template, *NO_WARM_UP) as app,
            Emulated(floor_template) as floor,
            Socket(app.url, token=token_for(app.url, _USER)) as chat,
            Socket(floor.url) as echo,
        ):
            engines, workers = Control(app.url), Control(floor.url)
            for number in range(SPEAKING + 1):
                spoken = await _speaking(app, chat, engines)
                bare = await _floor(floor, echo, workers)
                if number:  # the first meets cold routers, front and recovery
                    for what, ms in spoken.items():
                        ours[_KILLED + what].append(ms)
                    for what, ms in bare.items():
                        base[what].append(ms)
            for _ in range(IN_A_TOOL):
                for what, ms in (await _in_a_tool(app, chat, engines)).items():
                    ours[_KILLED_IN_TOOL + what].append(ms)
    return [
        Section(
            key="recovery",
            title="After SIGKILL of the engine's process in mid-run, at the client's socket, ms",
            columns=("what", "n", "p50", "max", "floor n", "floor p50", "floor max", "ratio of p50"),
            rows=tuple(_row(what, taken, base) for what, taken in ours.items()),
            notes=(
                "from the request to kill; the platform's notice of the failed invocation starts recovery",
                "floor: plain boto3, same emulator, its worker killed likewise: a function gets the notice, looks who"
                " watches, posts and invokes the worker again, which starts cold; no log is read, no engine imported",
                "agent_resumed: beside the floor's word; the next engine's first event, or the end that it brings:"
                " beside the cold worker's",
            ),
        )
    ]


async def _speaking(app: Emulated, chat: Socket, control: Control) -> dict[str, float]:
    """Kills the engine behind its first words."""
    await chat.run("silence=60", until={"agent_delta"}, agent=SCRIPTED)
    began = await _kill(control, ENGINE)
    resumed = await chat.comes(_RESUMED)
    following = await chat.comes("agent_thinking")
    await chat.comes("agent_completed")
    await app.settled()
    return {_RESUMED: (resumed - began) * 1000, _NEXT: (following - began) * 1000}


async def _in_a_tool(app: Emulated, chat: Socket, control: Control) -> dict[str, float]:
    """Kills the engine while a tool runs whose outcome nobody can then know."""
    await chat.run("steps=1 hold=60", until={"tool_executing"}, agent=SCRIPTED)
    began = await _kill(control, ENGINE)
    resumed = await chat.comes(_RESUMED)
    ended = await chat.comes("agent_error")
    await app.settled()
    return {_RESUMED: (resumed - began) * 1000, _END: (ended - began) * 1000}


async def _floor(floor: Emulated, echo: Socket, control: Control) -> dict[str, float]:
    await echo.run("hold", until={"agent_started"}, user=_USER, hold="60")
    began = await _kill(control, WORKER)
    resumed = await echo.comes(_RESUMED)
    following = await echo.comes("agent_started")
    await floor.settled()
    return {_RESUMED: (resumed - began) * 1000, _NEXT: (following - began) * 1000}


async def _kill(control: Control, function: str) -> float:
    """Kills the function's processes; when that was asked for. Raises `RuntimeError` where there was none."""
    began = time.perf_counter()
    if not (await control.inject("kill_environments", function=function)).get("killed"):
        raise RuntimeError(f"no environment of {function} was there to be killed")
    return began


def _row(what: str, taken: list[float], base: Samples) -> tuple[Cell, ...]:
    own = summary(taken)
    floor = summary(base[_RESUMED if what.endswith(_RESUMED) else _NEXT])
    return what, own.n, own.p50, own.worst, floor.n, floor.p50, floor.worst, own.p50 / floor.p50
