"""The ports in memory: exact in meaning, held to the same contract tests as the AWS adapters. For tests, for trying an
agent without any service, and for simulation."""

from dayfly.ports.memory.clock import ManualClock
from dayfly.ports.memory.invoker import MemoryInvoker
from dayfly.ports.memory.meter import MemoryMeter
from dayfly.ports.memory.poster import MemoryPoster
from dayfly.ports.memory.table import MemoryTable

__all__ = ["ManualClock", "MemoryInvoker", "MemoryMeter", "MemoryPoster", "MemoryTable"]
