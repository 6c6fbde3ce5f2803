"""One application for all facts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.emulator_process import EmulatorProcess, running
from tests.emulator.conformance.target import ADDRESS, Target, template
from tests.emulator.conformance.websocket.client import Application


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    """The deployed application, else one in an emulator of our own."""
    if ADDRESS:
        with _application(Target(ADDRESS), None) as deployed:
            yield deployed
        return
    with running(template("websocket")) as emulator:
        main, other = _addresses(emulator)
        with _application(Target(main), Target(other)) as emulated:
            yield emulated


@contextmanager
def _application(main: Target, other: Target | None) -> Iterator[Application]:
    functions, management = main.functions(), main.management()
    try:
        yield Application(main, other or _other(functions), functions, management)
    finally:
        functions.close()
        management.close()


def _other(functions: Any) -> Target:
    answer = functions.invoke(FunctionName="conformance-ledger", Payload=b'{"of": []}')
    return Target(json.loads(answer["Payload"].read())["open_api"])


def _addresses(emulator: EmulatorProcess) -> list[str]:
    """The addresses of both APIs, from what the emulator prints when it is ready."""
    until = time.monotonic() + 10
    while True:
        found = re.findall(r"websocket\s+(ws://\S+)", "".join(emulator.lines))
        if len(found) == 2:
            return found
        assert time.monotonic() < until, "".join(emulator.lines)
        time.sleep(0.05)
