"""What the functions see of the cloud: moto, and a server that plays the management API and Lambda's Invoke."""

import importlib
import json
import logging
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

from tests.contract.backends import create_table, moto_server
from tests.unit.aws.loopback import Answer, Loopback, Request, serve

ROOT = Path(__file__).parents[2]
Frame = dict[str, Any]


def sample(name: str) -> dict[str, Any]:
    """One sample event."""
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded


@dataclass
class Cloud:
    """What left the functions: frames by connection, and invocations of the engine."""

    server: Loopback
    frames: dict[str, list[Frame]] = field(default_factory=dict)
    invocations: list[tuple[str | None, Any]] = field(default_factory=list)
    invoked: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def events(self, connection: str = "C1=") -> list[Frame]:
        """The logged events that reached a connection, without doubles, in order of seq. (The tests have one run.)"""
        seen = {frame["seq"]: frame for frame in self.frames.get(connection, ()) if "seq" in frame}
        return [seen[seq] for seq in sorted(seen)]

    def __call__(self, request: Request) -> Answer:
        if "/invocations" in request.path:
            self.invoked.add(request.path.split("/functions/")[1].removesuffix("/invocations"))
            self.invocations.append((request.headers.get("x-amz-tenant-id"), json.loads(request.body)))
            return Answer(202)
        connection = unquote(request.path.rsplit("/", 1)[1])
        if connection in self.gone:
            return Answer(410, headers={"x-amzn-ErrorType": "GoneException"})
        self.frames.setdefault(connection, []).append(json.loads(request.body))
        return Answer()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The address of a moto server."""
    with moto_server() as address:
        yield address


@pytest.fixture
def cloud(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A fresh table, and an environment as the template gives it, with AWS's endpoints on loopback."""
    library = logging.getLogger("dayfly")
    before = (library.handlers, library.level, library.propagate)
    with serve() as server:
        played = Cloud(server)
        table = f"functions-{secrets.token_hex(4)}"
        server.answer = played
        for name, value in {
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": moto,
            "AWS_ENDPOINT_URL_LAMBDA": server.url,
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"{server.url}/live",
            "TABLE_NAME": table,
            "ENGINE_FUNCTION": "Engine",
            "AWS_LAMBDA_FUNCTION_NAME": "Engine",
            "ISOLATION": "user",
            "RUN_SECONDS": "3600",
            "APPROVAL_SECONDS": "3600",
            "WARM_UP": "on",
            "MODEL": "demo",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(str(ROOT / "functions" / "engine"))
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto)
        create_table(client, table)
        client.close()
        yield played
    library.handlers, library.level, library.propagate = before


def app(name: str) -> ModuleType:
    """The function's module, loaded anew: a cold start."""
    module = f"functions.{name}.app"
    sys.modules.pop(module, None)
    return importlib.import_module(module)


def frame_event(body: str, *, user: str = "u-4dzt2kq7vjm5r3xw6n2hpabcye", connection: str = "C1=") -> dict[str, Any]:
    """What the gateway makes of a frame."""
    event = sample("run")
    context = event["requestContext"]
    context["connectionId"] = connection
    context["authorizer"].update(user=user, tenant=user, principalId=user)
    return {**event, "body": body}
