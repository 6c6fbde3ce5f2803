"""Fixtures of the contract suites."""

from collections.abc import Iterator

import pytest

from tests.contract import backends
from tests.contract.backends import Backend
from tests.contract.cloud import cloud, moto

__all__ = ["cloud", "moto"]


@pytest.fixture(scope="session", params=backends.NAMES)
def endpoint(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A store's name, and the address of its server (empty for those in memory)."""
    match request.param:
        case "memory" | "simulation" as name:
            yield name, ""
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
    match name:
        case "memory":
            made = backends.memory_backend()
        case "simulation":
            made = backends.simulated_backend()
        case _:
            made = backends.dynamo_backend(name, address)
    with made as fresh:
        yield fresh
