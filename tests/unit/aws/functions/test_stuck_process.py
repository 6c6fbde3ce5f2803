"""A process in which a thread is left ends with its invocation; any other lives on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dayfly.aws.functions.engine import STUCK_EXIT

ROOT = Path(__file__).parents[4]
PROGRAM = """
import asyncio, sys, threading, time
from dayfly.agents.tool_threads import run_in_thread
from dayfly.aws.functions.engine import ends_if_stuck
from dayfly.engine.agent_host import ThreadHost

async def tool(left):
    call = asyncio.create_task(run_in_thread(lambda: time.sleep(60 if left else 0), name="tool"))
    await asyncio.wait((call,), timeout=1.0)
    call.cancel()

async def agent(left):
    host = ThreadHost()
    async def drive():
        time.sleep(60 if left else 0)
    host.start(drive)
    await host.stop(patience_s=0.2)

def invocation(kind, left, ends):
    with ends_if_stuck():
        asyncio.run(globals()[kind](left == "left"))
        if ends == "raises":
            raise RuntimeError("on purpose")

kind, left, ends = sys.argv[1:]
try:
    invocation(kind, left, ends)
    print("returned")
except RuntimeError as error:
    print("raised", error)
"""


@pytest.mark.parametrize("ends", ["returns", "raises"])
@pytest.mark.parametrize("left", ["left", "none"])
@pytest.mark.parametrize("kind", ["tool", "agent"])
def test_a_process_with_a_thread_left_ends_however_its_invocation_does(kind: str, left: str, ends: str) -> None:
    """It ends with a status of its own, and the reason is in the log; with no thread left it lives, and what was raised
    is raised."""
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, left, ends],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers" / "dayfly")},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    lives = {"returns": "returned\n", "raises": "raised on purpose\n"}[ends]
    assert (child.returncode, child.stdout) == ((STUCK_EXIT, "") if left == "left" else (0, lives)), child.stderr
    assert ("threads still run" in child.stderr) == (left == "left")
    if ends == "raises" and left == "left":
        assert "RuntimeError: on purpose" in child.stderr
