"""One emulator for all end-to-end tests: users are many, so tests do not meet."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.client import Chat
from tests.e2e.emulator_process import EmulatorProcess, project, running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The whole application on the emulator, swept every second. Most of these many users never ask for a run: to warm
    an engine for each would keep the others waiting."""
    template = project(tmp_path_factory.mktemp("application"))
    with running(template, "--schedule-every", "1", "--parameter-overrides", "WarmUp=off") as started:
        yield started


@pytest.fixture
def user() -> str:
    """A user whom no other test knows."""
    return f"user{next(_numbers)}"


@pytest.fixture
def chat(emulator: EmulatorProcess, user: str) -> Callable[[], Chat]:
    """Opens sockets of the test's user."""
    return lambda: Chat(emulator.url, user)
