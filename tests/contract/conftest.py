"""Fixtures of the contract suites."""

from collections.abc import Iterator

import pytest

from tests.contract import backends
from tests.contract.backends import Backend
from tests.contract.cloud import cloud, moto

__all__ = ["cloud", "moto"]


@pytest.fixture(scope="session", params=backends.NAMES)
def endpoint(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A store's name, and the address of its server (empty for the one in memory)."""
    match request.param:
        case "memory":
            yield "memory", ""
        case "moto":
            with backends.moto_server() as address:
                yield "moto", address
        case name:
            with backends.dynamodb_local() as address:
                yield name, address


@pytest.fixture
def backend(endpoint: tuple[str, str]) -> Iterator[Backend]:
    """A store with an empty table."""
    name, address = endpoint
    made = backends.dynamo_backend(name, address) if address else backends.memory_backend()
    with made as fresh:
        yield fresh
