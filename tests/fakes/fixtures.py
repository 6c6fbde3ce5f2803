"""What a directory of core tests takes into its conftest: virtual time, and a backend in memory."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.fakes.virtual_time import VirtualLoop
from tests.fakes.world import World


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A loop whose time jumps, for each test its own."""
    return {"virtual": VirtualLoop}


@pytest.fixture
def world() -> World:
    """A backend in memory with nobody in it."""
    return World()
