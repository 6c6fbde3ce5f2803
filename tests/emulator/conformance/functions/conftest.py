"""One application for all facts about Lambda; an emulator of our own waits less between two attempts of an event."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.conformance.functions.application import Application
from tests.emulator.conformance.target import ADDRESS, serving

SHORT = ("--limit", "first_retry_wait=0.3", "second_retry_wait=0.5", "throttle_wait=0.1")


@pytest.fixture(scope="session")
def app() -> Iterator[Application]:
    """The deployed application, or one in an emulator."""
    with serving("functions", *(() if ADDRESS else SHORT)) as target:
        yield Application(target)
