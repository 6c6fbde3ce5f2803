"""One application for all facts about Lambda; an emulator of our own waits less between two attempts of an event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.emulator.conformance.functions.application import Answer, Application, Json
from tests.emulator.conformance.target import ADDRESS, serving

SHORT = ("--limit", "first_retry_wait=0.3", "second_retry_wait=0.5", "throttle_wait=0.1")


@pytest.fixture(scope="session")
def app() -> Iterator[Application]:
    """The deployed application, or one in an emulator."""
    with serving("functions", *(() if ADDRESS else SHORT)) as target:
        yield Application(target)


@dataclass(frozen=True)
class TimeOut:
    """An invocation that ran into its time-out, which state its environment had before, and the next one's has."""

    answer: Answer
    took_s: float
    before: Json
    after: Json


@pytest.fixture(scope="session")
def time_out(app: Application) -> TimeOut:
    """One for all that is said of it: it takes a second at least."""
    before = app.run("short", ("calls", None)).value
    began = time.monotonic()
    answer = app.run("short", ("sleep", 8), tail=True)
    took_s = time.monotonic() - began
    return TimeOut(answer, took_s, before, app.run("short", ("calls", None)).value)
