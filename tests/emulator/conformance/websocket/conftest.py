"""One application for all facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.emulator.conformance.target import ADDRESS, Target, template
from tests.emulator.conformance.websocket.client import Application
from tests.live.kit.emulator import running


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    """The deployed application, else one in an emulator of our own."""
    if ADDRESS:
        with _application(Target(ADDRESS), None) as deployed:
            yield deployed
        return
    with running(template("websocket")) as emulator:
        main, other = emulator.websockets
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
