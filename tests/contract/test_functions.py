"""The functions as Lambda runs them, over moto and a server that plays the management API and Lambda's Invoke.

The handlers of the functions' own `app.py` files are called one after the other, as one message's way is: a frame is
admitted by the router, run by the engine, and read back. Asserted is what went over HTTP.
"""

import importlib
import json
import logging
import os
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
from tests.unit.aws.lambda_context import PlayedContext
from tests.unit.aws.loopback import Answer, Loopback, Request, serve

ROOT = Path(__file__).parents[2]
Frame = dict[str, Any]


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded


@dataclass
class Cloud:
    """What left the functions: frames by connection, and invocations of the engine."""

    server: Loopback
    frames: dict[str, list[Frame]] = field(default_factory=dict)
    invocations: list[tuple[str | None, Any]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def __call__(self, request: Request) -> Answer:
        if "/invocations" in request.path:
            self.invocations.append((request.headers.get("x-amz-tenant-id"), json.loads(request.body)))
            return Answer(202)
        connection = unquote(request.path.rsplit("/", 1)[1])
        if connection in self.gone:
            return Answer(410, headers={"x-amzn-ErrorType": "GoneException"})
        self.frames.setdefault(connection, []).append(json.loads(request.body))
        return Answer()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
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
            "ISOLATION": "user",
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
    event = sample("run")
    context = event["requestContext"]
    context["connectionId"] = connection
    context["authorizer"].update(user=user, tenant=user, principalId=user)
    return {**event, "body": body}


def test_a_message_goes_all_the_way(cloud: Cloud) -> None:
    """run → accepted → one engine invocation under the user's tenant id → the five events and the answer, in order."""
    router, engine = app("router").handler, app("engine").handler
    asked = frame_event(json.dumps({"action": "run", "id": "c1", "text": "What is 17 * 23?"}))
    assert router(asked, PlayedContext()) == {"statusCode": 200}
    replies = {frame["type"]: frame for frame in cloud.frames["C1="]}
    assert replies["accepted"]["id"] == "c1"
    ((tenant, payload),) = cloud.invocations
    assert tenant == payload["user"] == "u-4dzt2kq7vjm5r3xw6n2hpabcye"
    assert engine(payload, PlayedContext(request_id="engine-1")) == {"outcome": "completed"}
    events = [frame for frame in cloud.frames["C1="] if "seq" in frame]
    assert [frame["seq"] for frame in events] == list(range(1, len(events) + 1))
    kinds = list(dict.fromkeys(frame["type"] for frame in events))
    assert kinds[:5] == ["user_message", "agent_started", "agent_thinking", "tool_executing", "tool_completed"]
    assert events[-1]["type"] == "agent_completed"
    assert "391" in events[-1]["payload"]["result"]
    before = len(cloud.frames["C1="])
    assert engine(payload, PlayedContext(request_id="engine-2")) == {"outcome": "superseded"}
    assert len(cloud.frames["C1="]) == before


def test_an_unknown_agent_ends_its_run(cloud: Cloud) -> None:
    """A run for an agent that is not installed ends at once with that code, and the thread takes the next one."""
    router, engine = app("router").handler, app("engine").handler
    router(frame_event('{"action": "run", "id": "c1", "text": "x", "agent": "nobody"}'), PlayedContext())
    ((_, payload),) = cloud.invocations
    assert engine(payload, PlayedContext()) == {"outcome": "failed"}
    last = cloud.frames["C1="][-1]
    assert (last["type"], last["seq"], last["payload"]["code"]) == ("agent_error", 2, "unknown_agent")
    again = {"action": "run", "id": "c2", "text": "What is 2 + 2?", "thread_id": payload["thread_id"]}
    router(frame_event(json.dumps(again)), PlayedContext())
    assert engine(cloud.invocations[-1][1], PlayedContext()) == {"outcome": "completed"}


def test_a_lost_engine_is_noticed(cloud: Cloud) -> None:
    """A run whose engine never began is invoked again by its notice, and the sweep leaves it alone meanwhile."""
    router, recovery = app("router").handler, app("recovery").handler
    router(frame_event(json.dumps({"action": "run", "id": "c1", "text": "hello"})), PlayedContext())
    ((_, payload),) = cloud.invocations
    recovery({**sample("on-failure"), "requestPayload": payload}, PlayedContext())
    assert [again for _, again in cloud.invocations] == [payload, payload]
    recovery(sample("sweep"), PlayedContext())
    assert len(cloud.invocations) == 2


def test_a_connection_comes_and_goes(cloud: Cloud) -> None:
    """`$connect` answers the version alone, stores both rows and warms the engine; `$disconnect` removes them."""
    handler = app("connection").handler
    connect = sample("connect")
    answer = handler(connect, PlayedContext())
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "dayfly.v1"}}
    user = connect["requestContext"]["authorizer"]["user"]
    assert cloud.invocations == [(user, {"kind": "warm_up"})]
    assert sorted(stored_keys()) == [
        ("CONN#L0SM9cOFvHcCIhw=", "CONN"),
        (f"USER#{user}", "SOCK#L0SM9cOFvHcCIhw="),
    ]
    assert handler(sample("disconnect"), PlayedContext()) == {"statusCode": 200}
    assert stored_keys() == []


def test_a_warm_up_that_fails_refuses_nobody(cloud: Cloud) -> None:
    """The socket opens although Lambda throttles the warm-up, and no subprotocol is answered that was not offered."""
    cloud.server.answer = lambda _: Answer(429, b"{}", {"x-amzn-ErrorType": "TooManyRequestsException"})
    connect = sample("connect")
    connect["multiValueHeaders"].pop("Sec-WebSocket-Protocol")
    assert app("connection").handler(connect, PlayedContext()) == {"statusCode": 200}
    assert len(stored_keys()) == 2


def test_a_warm_up_starts_nothing(cloud: Cloud) -> None:
    """The engine answers a warm-up without a post or a row."""
    assert app("engine").handler({"kind": "warm_up"}, PlayedContext()) == {"outcome": "warm"}
    assert cloud.server.requests == []
    assert stored_keys() == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"action": "dance", "id": "x"}', '{"action": "run", "id": "x"}'])
def test_a_bad_frame_is_answered(cloud: Cloud, body: str) -> None:
    """Whatever a client sends, it gets one error frame and the invocation succeeds."""
    assert app("router").handler(frame_event(body), PlayedContext()) == {"statusCode": 200}
    (reply,) = cloud.frames["C1="]
    assert reply["type"] == "error"
    assert cloud.invocations == []


def test_an_unexpected_failure_tells_the_client_its_id(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client is told `internal` and an id, the log has the rest, and the invocation counts as failed."""
    monkeypatch.setenv("TABLE_NAME", "no-such-table")
    answer = app("router").handler(
        frame_event('{"action": "threads", "id": "x"}'), PlayedContext(request_id="lambda-1")
    )
    assert answer == {"statusCode": 500}
    (reply,) = cloud.frames["C1="]
    assert (reply["code"], reply["request_id"]) == ("internal", "lambda-1")
    assert "ResourceNotFoundException" not in json.dumps(reply)
    assert "ResourceNotFoundException" in capsys.readouterr().out


def test_no_text_is_logged(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A run's words, in and out, stay out of the logs; its ids stand in them."""
    router, engine = app("router").handler, app("engine").handler
    words = "remember that my code is swordfish"
    router(frame_event(json.dumps({"action": "run", "id": "c7", "text": words})), PlayedContext())
    ((_, payload),) = cloud.invocations
    engine(payload, PlayedContext())
    written = capsys.readouterr().out
    assert "swordfish" not in written
    lines = [json.loads(line) for line in written.splitlines()]
    about = [line for line in lines if line.get("run") == payload["run_id"]]
    assert {"admitted", "attempt over"} <= {line["message"] for line in about}
    assert all(line["thread"] == payload["thread_id"] for line in about)


def stored_keys() -> list[tuple[str, str]]:
    client = boto3.client("dynamodb")
    items = client.scan(TableName=os.environ["TABLE_NAME"])["Items"]
    client.close()
    return [(item["pk"]["S"], item["sk"]["S"]) for item in items]


ANSWERS = {
    "ping": "pong",
    "run": "accepted",
    "threads": "threads",
    "detach": "detached",
    "attach": "thread_not_found",
    "history": "thread_not_found",
    "cancel": "run_not_found",
    "default": "unknown_action",
    "approve": "not_supported",
    "rename": "not_supported",
    "forget": "not_supported",
    "refresh": "not_supported",
}
"""What each frame's sample event is answered with in an empty table: the type of the reply, or an error's code."""


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_sample_frame_is_answered(cloud: Cloud, name: str) -> None:
    """The router takes each sample event of a route as it lies in its file, and answers on its connection."""
    event = sample(name)
    assert app("router").handler(event, PlayedContext()) == {"statusCode": 200}
    frames = cloud.frames[event["requestContext"]["connectionId"]]
    reply = next(frame for frame in frames if frame.get("id") == json.loads(event["body"])["id"])
    assert reply.get("code", reply["type"]) == ANSWERS[name]


def test_every_sample_is_driven() -> None:
    """The samples that these tests drive are all there are."""
    elsewhere = {"authorizer", "connect", "disconnect", "engine", "warm-up", "on-failure", "sweep"}
    assert {file.stem for file in (ROOT / "events").iterdir()} == set(ANSWERS) | elsewhere


def test_the_sample_connection_comes_and_goes(cloud: Cloud) -> None:
    """`connect.json` is let in under its subprotocol, with a warm-up; `disconnect.json` is taken."""
    handler = app("connection").handler
    answer = handler(sample("connect"), PlayedContext())
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "dayfly.v1"}}
    assert [payload for _, payload in cloud.invocations] == [sample("warm-up")]
    assert handler(sample("disconnect"), PlayedContext())["statusCode"] == 200


def test_the_sample_invocations_of_an_engine(cloud: Cloud) -> None:
    """`engine.json` names a run that is not there, so nothing is done; `warm-up.json` is answered."""
    handler = app("engine").handler
    assert handler(sample("engine"), PlayedContext()) == {"outcome": "superseded"}
    assert handler(sample("warm-up"), PlayedContext()) == {"outcome": "warm"}
    assert cloud.frames == {}


def test_the_sample_triggers_of_recovery(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """`sweep.json` counts the active runs; `on-failure.json` is about a run that is gone, so nothing is posted."""
    handler = app("recovery").handler
    handler(sample("sweep"), PlayedContext())
    assert '"ActiveRuns":[0.0]' in capsys.readouterr().out
    handler(sample("on-failure"), PlayedContext())
    assert cloud.frames == {}
    assert cloud.invocations == []


def test_the_sample_authorization(monkeypatch: pytest.MonkeyPatch) -> None:
    """`authorizer.json` carries a placeholder, which is no token: denied."""
    monkeypatch.setenv("JWT_ISSUER", "https://issuer.example")
    monkeypatch.setenv("JWT_AUDIENCE", "dayfly")
    answer = app("authorizer").handler(sample("authorizer"), PlayedContext())
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
