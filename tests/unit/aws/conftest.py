"""Fixtures of the AWS side's tests."""

from collections.abc import Iterator

import pytest

from tests.unit.aws.issuer import Issuer
from tests.unit.aws.loopback import Loopback, serve


@pytest.fixture
def server() -> Iterator[Loopback]:
    """An HTTP server on loopback."""
    with serve() as loopback:
        yield loopback


@pytest.fixture
def issuer(server: Loopback) -> Issuer:
    """An issuer with one key."""
    return Issuer(server)
