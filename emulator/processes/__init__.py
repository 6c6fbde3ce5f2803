"""The processes that the emulator starts: each ends when the emulator does, in whatever way that ends."""

from emulator.processes.reaper import Reaper

__all__ = ["Reaper"]
