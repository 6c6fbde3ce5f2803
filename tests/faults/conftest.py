"""Emulators for these tests: their faults are for all users, so that each module has its own."""

import itertools
from collections.abc import Iterator

import pytest

from tests.e2e.emulator_process import EmulatorProcess, project, running
from tests.faults.control import Control

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The application, swept every second."""
    template = project(tmp_path_factory.mktemp("swept"))
    with running(template, "--schedule-every", "1", "--parameter-overrides", "WarmUp=off") as started:
        yield started


@pytest.fixture
def user() -> str:
    """A user whom no other test knows."""
    return f"faulty{next(_numbers)}"


@pytest.fixture
def faults(swept: EmulatorProcess) -> Control:
    """Injects into the emulator that is swept every second."""
    return Control(swept.url)
