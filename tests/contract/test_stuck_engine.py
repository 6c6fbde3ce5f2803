"""The engine's process after an invocation that has left a tool's thread in it: a real process, the function whole."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from dayfly.aws.functions.engine import STUCK_EXIT
from tests.contract.cloud import ROOT, Cloud, app, frame_event
from tests.unit.aws.lambda_context import PlayedContext

PROGRAM = """
import json, sys
from functions.engine.app import handler
from tests.unit.aws.lambda_context import PlayedContext
try:
    print("lives:", handler(json.loads(sys.argv[1]), PlayedContext(remaining_ms=int(sys.argv[2])))["outcome"])
except Exception as error:
    print("lives:", type(error).__name__)
"""


def engine(payload: Any, *, remaining_ms: int) -> tuple[int, list[str]]:
    """One invocation in a process of its own: its exit status, and what that did after the invocation."""
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/dayfly", "functions/engine", "."))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(payload), str(remaining_ms)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("lives:")]


@dataclass(frozen=True)
class End:
    """How an invocation ends: what its user says to the agent, the time it has, what its handler comes to, and the last
    event that was posted."""

    said: str
    remaining_ms: int
    told: str
    last: str


ENDS = (
    End("answers", 60_000, "completed", "agent_completed"),
    End("hangs", 3_000, "handed_over", "agent_resumed"),
    End("loses", 60_000, "Unsettled", "agent_thinking"),
)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.said)
@pytest.mark.parametrize("left", ["thread", "nothing"])
def test_a_process_with_a_tools_thread_in_it_serves_nobody_else(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, left: str, end: End
) -> None:
    """It ends, whether its handler would have returned, has run out of time or raises because the log could not be
    reached, and what could be told was told before; with no thread left it lives on."""
    monkeypatch.setenv("AGENTS_PACKAGE", "tests.live.agents")
    asked = {"action": "run", "id": "c1", "text": f"{left} {end.said}", "agent": "leaving"}
    app("router").handler(frame_event(json.dumps(asked)), PlayedContext())
    ((_, payload),) = cloud.invocations
    status, after = engine(payload, remaining_ms=end.remaining_ms)
    assert (status, after) == ((STUCK_EXIT, []) if left == "thread" else (0, [f"lives: {end.told}"]))
    assert cloud.events()[-1]["type"] == end.last
