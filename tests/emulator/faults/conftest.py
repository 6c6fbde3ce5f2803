"""The tests of faults run on the event loop that the gateway's run on."""

from tests.emulator.gateway.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
