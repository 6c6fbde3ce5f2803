"""The tests of faults run on the event loop that the emulator itself runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop alone."""
    return {"uvloop": uvloop.new_event_loop}
