"""Everything here runs in virtual time."""

from tests.fakes.fixtures import pytest_asyncio_loop_factories, world

__all__ = ["pytest_asyncio_loop_factories", "world"]
