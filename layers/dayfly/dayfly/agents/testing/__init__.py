"""What an agent's author tests it with, without AWS, the emulator or a model: `ask` and `check_agent`.

`ask` tries an agent; `check_agent`, or its form for pytest, holds a loop of one's own to the agents' protocol:

from dayfly.agents.testing import AgentContract
from my_agents.weather import Weather

class TestWeather(AgentContract):
    agent = Weather
    text = "What is the weather in Kiel?"
    idempotent = ("look_out",)

Each of its tests fails with a sentence for everything that is wrong.
"""

from dayfly.agents.sdk.testing import Approve, MemoryTable, Transcript, ask
from dayfly.agents.testing.contract import AgentContract, check_agent
from dayfly.agents.testing.violations import AgentViolations, Check, Violation

__all__ = [
    "AgentContract",
    "AgentViolations",
    "Approve",
    "Check",
    "MemoryTable",
    "Transcript",
    "Violation",
    "ask",
    "check_agent",
]
