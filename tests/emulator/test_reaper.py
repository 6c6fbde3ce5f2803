"""Nothing outlives the emulator, however it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.emulator.functions.support import alive, eventually
from tests.emulator.state.support import TABLE_ALONE

PARENT = """
import asyncio, sys
from pathlib import Path
from emulator.contract import FunctionSpec
from emulator.functions import LambdaService
from emulator.processes import Reaper
from emulator.state import State

async def main(folder):
    reaper = Reaper()
    reaper.start()
    temporary = reaper.temporary_folder("emulator-test-")
    spec = FunctionSpec("Fn", "fn", "app.handler", folder, (), {}, 5, 128, None, False, 0, 60, None)
    service = LambdaService([spec], reaper=reaper)
    state = State(sys.argv[2], reaper=reaper)
    await asyncio.gather(service.start(), state.start())
    found = await service.invoke("fn", b"{}")
    print(temporary, found.payload.decode(), state.moto_pid, reaper.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1])))
"""


# Does not end at SIGTERM.
DEAF = """
import os, signal, sys, time
from emulator.processes import Reaper

signal.signal(signal.SIGTERM, signal.SIG_IGN)
with Reaper(exit_with=int(sys.argv[1])) as reaper:
    print(reaper.pid, flush=True)
    time.sleep(60)
"""


async def test_an_owner_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """It gets SIGTERM when the watched process ends, and SIGKILL eight seconds later."""
    watched = await asyncio.create_subprocess_exec("sleep", "60")
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DEAF, str(watched.pid), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    reaper = int(await owner.stdout.readline())
    watched.kill()
    await watched.wait()
    assert await asyncio.wait_for(owner.wait(), 30) == -signal.SIGKILL
    await eventually(lambda: not alive(reaper))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_emulator_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """After SIGKILL or SIGTERM of the parent, frozen environments, moto, the reaper and temporary folders are gone."""
    (tmp_path / "app.py").write_text("import os\ndef handler(event, context):\n    return os.getpid()", "utf-8")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), TABLE_ALONE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert parent.stdout is not None
    name, *numbers = (await parent.stdout.readline()).decode().split()
    temporary, pids = Path(name), [int(number) for number in numbers]
    await eventually(temporary.is_dir)
    assert len(pids) == 3
    assert all(alive(pid) for pid in pids)
    parent.send_signal(number)
    await parent.wait()
    await eventually(lambda: not any(alive(pid) for pid in pids))
    await eventually(lambda: not temporary.exists())
