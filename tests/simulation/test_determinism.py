"""One seed is one schedule, in every process."""

import os
import subprocess
import sys
from types import ModuleType
from typing import Final

from tests.simulation.schedule import play

SEEDS: Final = 60
KNOWN_SOURCES: Final = {
    ("dayfly.context.ids", "secrets"),
    ("dayfly.store.retry", "random"),
    ("dayfly.clock", "time"),
    ("dayfly.engine.agent_host", "time"),
}
"""Where the core takes time and random numbers from. A schedule replaces the first two; the third is the clock that
functions are given, the fourth the host of agents in threads, and a schedule gives them its own of both."""
NOT_PLAYED: Final = ("dayfly.aws", "dayfly.agents.pydantic", "dayfly.agents.testing")
"""What no schedule runs, though other tests of this process may have loaded it: schedules have agents of their own."""


def test_a_seed_gives_the_same_trace_twice() -> None:
    """Played again in the same process, a schedule has the same trace to the letter."""
    for seed in range(SEEDS):
        first, second = play(seed, traced=True), play(seed, traced=True)
        assert first.lines == second.lines
        assert len(first.lines) > 20


def test_a_seed_gives_the_same_trace_in_every_process() -> None:
    """Processes that hash strings in different ways play the same schedules."""
    assert _digests("1") == _digests("2")


def _digests(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--digest", "--runs", str(SEEDS), "--first", "150"]
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    assert output.count("\n") == SEEDS
    return output


def test_the_core_has_no_other_source_of_chance() -> None:
    """No module of the core that a schedule runs takes time or random numbers from elsewhere."""
    play(0)
    sources = {
        (name, attribute)
        for name, module in sys.modules.items()
        if name.startswith("dayfly.") and not name.startswith(NOT_PLAYED)
        for attribute, value in vars(module).items()
        if isinstance(value, ModuleType) and value.__name__ in {"random", "secrets", "time", "uuid", "os"}
    }
    assert sources <= KNOWN_SOURCES
