"""Emulators for all live tests of a session. Their users are many, so that tests do not meet; what strikes all users is
struck by one test at a time, and gone after it."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.live.kit.chat import Chat
from tests.live.kit.control import Control
from tests.live.kit.emulator import SHARED, EmulatorProcess, chatting, project

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of the application with the agents of these tests."""
    return project(tmp_path_factory.mktemp("application"))


@pytest.fixture(scope="session")
def swept(application: Path) -> Iterator[EmulatorProcess]:
    """The application, swept every second. Its users share engines: one for each would keep the others waiting."""
    with chatting(application, "--schedule-every", "1", *SHARED) as started:
        yield started


@pytest.fixture(scope="session")
def unswept(application: Path) -> Iterator[EmulatorProcess]:
    """The application, whose sweep stays at its minute, so that each sweep that matters is a test's own."""
    with chatting(application, *SHARED) as started:
        yield started


@pytest.fixture(scope="session")
def tight(application: Path) -> Iterator[EmulatorProcess]:
    """The application, swept every second, with engines of 512 MB and three seconds for the answer to a question."""
    with chatting(application, "--schedule-every", "1", *SHARED, "EngineMemory=512", "ApprovalTimeout=3") as started:
        yield started


@pytest.fixture
def user() -> str:
    """A user whom no other test knows."""
    return f"user{next(_numbers)}"


@pytest.fixture
def chat(swept: EmulatorProcess, user: str) -> Callable[[], Chat]:
    """Opens sockets of the test's user."""
    return lambda: Chat(swept.url, user)


@pytest.fixture
async def client(chat: Callable[[], Chat]) -> AsyncIterator[Chat]:
    """A socket of the test's user."""
    async with chat() as opened:
        yield opened


@pytest.fixture
async def faults(swept: EmulatorProcess) -> AsyncIterator[Control]:
    """Injects into the emulator that is swept every second; what has not struck in the end is withdrawn."""
    control = Control(swept.url)
    yield control
    await control.calm()
