"""What the facts are checked against: an address. Ours is an emulator's; it may be that of a deployed stack.

    CONFORMANCE_TARGET=wss://abcdef1234.execute-api.eu-central-1.amazonaws.com/live pytest tests/emulator/conformance

The stack is deployed from the template beside the tests (`sam deploy --template ...`); its functions carry fixed names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests.live.kit.emulator import running

ADDRESS: Final = os.environ.get("CONFORMANCE_TARGET", "")
"""Where a deployed stack is; empty for an emulator of our own."""

STAGE: Final = "live"
"""The stage of every template here."""


@dataclass(frozen=True)
class Target:
    """A WebSocket address (`ws://host:port/stage`, `wss://…`) and the clients that go with it."""

    websocket: str

    @property
    def local(self) -> bool:
        """Whether it is an emulator."""
        return self.websocket.startswith("ws://")

    @property
    def http(self) -> str:
        """The same address for HTTP: `@connections` is under it."""
        return "http" + self.websocket.removeprefix("ws")

    @property
    def stage(self) -> str:
        """The stage's name."""
        return urlsplit(self.websocket).path.strip("/")

    @property
    def root(self) -> str:
        """The address without the stage."""
        return self.http.removesuffix(f"/{self.stage}")

    def management(self) -> Any:
        """A boto3 client of `@connections`, one attempt a call."""
        return self._client("apigatewaymanagementapi", self.http)

    def functions(self) -> Any:
        """A boto3 client of Lambda, one attempt a call."""
        return self._client("lambda", self.root if self.local else None)

    def _client(self, service: str, endpoint: str | None) -> Any:
        own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        return boto3.client(service, endpoint_url=endpoint, config=config, **(own if self.local else {}))  # type: ignore[call-overload]  # the service's name is not a literal here


def template(area: str) -> Path:
    """The template of one area's application: `websocket` or `functions`."""
    return Path(__file__).parent / area / "template.yaml"


@contextmanager
def serving(area: str, *options: str) -> Iterator[Target]:
    """The target of an area: the address given, else an emulator of our own with these options, for a block."""
    if ADDRESS and not options:
        yield Target(ADDRESS)
        return
    with running(template(area), *options) as emulator:
        yield Target(emulator.stage(STAGE))
