"""The functions as Lambda runs them, over moto and a server that plays the management API and Lambda's Invoke.

The handlers of the functions' own `app.py` files are called one after the other, as one message's way is: a frame is
admitted by the router, run by the engine, and read back. Asserted is what went over HTTP.
"""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from typing import Any

import boto3
import pytest

from tests.contract.cloud import ROOT, Cloud, Frame, app, frame_event, sample
from tests.unit.aws.lambda_context import PlayedContext
from tests.unit.aws.loopback import Answer


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


def killed_at_work(payload: Any) -> None:
    """An engine in a process of its own, which its agent kills."""
    code = (
        "import json, sys; from functions.engine.app import handler; "
        "from tests.unit.aws.lambda_context import PlayedContext; "
        "handler(json.loads(sys.argv[1]), PlayedContext(request_id='engine-1'))"
    )
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/dayfly", "functions/engine", "."))
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(payload)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_a_killed_engine_is_followed_by_another(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notice for an engine that has written opens the run's next attempt: the viewers are told, and the engine is
    invoked for the seq behind, under the user's tenant id. A notice that comes twice opens one attempt, a notice for
    another invocation none."""
    monkeypatch.setenv("AGENTS_PACKAGE", "tests.live.agents")
    router, recovery = app("router").handler, app("recovery").handler
    asked_for = {"action": "run", "id": "c1", "text": "x", "agent": "dying"}
    router(frame_event(json.dumps(asked_for)), PlayedContext())
    ((tenant, payload),) = cloud.invocations
    killed_at_work(payload)
    notice = {**sample("on-failure"), "requestPayload": payload}
    recovery(notice, PlayedContext(request_id="recovery-1"))
    assert len(cloud.invocations) == 1, "it is about an invocation that has nothing of the run"
    notice["requestContext"]["requestId"] = "engine-1"
    for _ in range(2):
        recovery(notice, PlayedContext(request_id="recovery-2"))
    resumed = cloud.events()[-1]
    told = {"attempt": 2, "reason": "engine_lost"}
    assert (resumed["type"], {key: resumed["payload"][key] for key in told}) == ("agent_resumed", told)
    following = {**payload, "attempt": 2, "first_seq": resumed["seq"] + 1}
    first, *later = cloud.invocations
    assert first == (tenant, payload)
    assert later in ([(tenant, following)], [(tenant, following)] * 2), "of two calls for one attempt one begins"


def asked(cloud: Cloud, router: Any, engine: Any) -> Frame:
    """A run that has come to ask its user, and the event that asks."""
    router(frame_event(json.dumps({"action": "run", "id": "c1", "text": "Forget the note about X17"})), PlayedContext())
    assert engine(cloud.invocations[-1][1], PlayedContext(request_id="engine-1")) == {"outcome": "waiting"}
    last = cloud.events()[-1]
    assert last["type"] == "approval_requested"
    return last


@pytest.mark.parametrize(
    ("approved", "told"),
    [(True, ["tool_executing", "tool_completed"]), (False, ["tool_completed"])],
)
def test_a_run_asks_and_goes_on(cloud: Cloud, approved: bool, told: list[str]) -> None:
    """A tool that needs approval: the engine returns, the answer invokes the next one, and that one ends the run; a
    denied call completes without having been executed."""
    router, engine = app("router").handler, app("engine").handler
    request = asked(cloud, router, engine)
    answer = {
        "action": "approve",
        "id": "c2",
        "run_id": request["run_id"],
        "tool_call_id": request["payload"]["tool_call_id"],
        "approved": approved,
    }
    assert router(frame_event(json.dumps(answer)), PlayedContext()) == {"statusCode": 200}
    replies = [frame for frame in cloud.frames["C1="] if frame.get("id") == "c2"]
    assert replies == [{"type": "approved", "id": "c2", "run_id": request["run_id"]}]
    tenant, payload = cloud.invocations[-1]
    assert tenant == payload["user"]
    assert engine(payload, PlayedContext(request_id="engine-2")) == {"outcome": "completed"}
    later = [event for event in cloud.events() if event["seq"] > request["seq"]]
    assert [event["type"] for event in later if event["type"].startswith("tool")] == told
    assert later[0]["payload"] == {"attempt": 2, "reason": "answered"}
    assert [event["seq"] for event in cloud.events()] == list(range(1, later[-1]["seq"] + 1))


@pytest.mark.parametrize("seconds", [1, 7200])
def test_an_approval_expires_when_the_deployment_says(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """`expires_at` lies `APPROVAL_SECONDS` after the event itself."""
    monkeypatch.setenv("APPROVAL_SECONDS", str(seconds))
    request = asked(cloud, app("router").handler, app("engine").handler)
    waits = datetime.fromisoformat(request["payload"]["expires_at"]) - datetime.fromisoformat(request["timestamp"])
    assert abs(waits.total_seconds() - seconds) < 1


@pytest.mark.parametrize(("text", "outcome"), [("tell me a slow story", "failed"), ("What is 2 + 2?", "completed")])
def test_a_run_ends_when_the_deployment_says(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, text: str, outcome: str
) -> None:
    """Where `RUN_SECONDS` is one, a story of some seconds ends with `run_too_long`, and what takes less is answered."""
    monkeypatch.setenv("RUN_SECONDS", "1")
    router, engine = app("router").handler, app("engine").handler
    router(frame_event(json.dumps({"action": "run", "id": "c1", "text": text})), PlayedContext())
    assert engine(cloud.invocations[-1][1], PlayedContext()) == {"outcome": outcome}
    last = cloud.events()[-1]
    assert last["payload"].get("code") == ("run_too_long" if outcome == "failed" else None)


def test_an_engine_hands_over_to_itself(cloud: Cloud) -> None:
    """An engine whose time is over before its step is invokes its own function, under the user's tenant id, for the
    next attempt, which goes on at the next seq; a step that was cut twice ends the run."""
    router, engine = app("router").handler, app("engine").handler
    router(frame_event(json.dumps({"action": "run", "id": "c1", "text": "tell me a slow story"})), PlayedContext())
    tenant, payload = cloud.invocations[-1]
    cloud.invoked.clear()
    assert engine(payload, PlayedContext(remaining_ms=2_000)) == {"outcome": "handed_over"}
    resumed = cloud.events()[-1]
    assert resumed["payload"] == {"attempt": 2, "reason": "handed_over", "discard_after": 1}
    following = {**payload, "attempt": 2, "first_seq": resumed["seq"] + 1}
    assert (cloud.invoked, cloud.invocations[-1]) == ({"Engine"}, (tenant, following))
    assert engine(payload, PlayedContext()) == {"outcome": "superseded"}
    assert engine(following, PlayedContext(request_id="engine-2", remaining_ms=2_000)) == {"outcome": "failed"}
    last = cloud.events()[-1]
    assert (last["type"], last["payload"]["code"]) == ("agent_error", "step_too_long")
    assert [event["seq"] for event in cloud.events()] == list(range(1, last["seq"] + 1))


def test_a_thread_is_renamed_and_forgotten(cloud: Cloud) -> None:
    """`rename` and `forget` of a thread that is there; afterwards the thread is refused."""
    router = app("router").handler
    asked_for = {"action": "run", "id": "c1", "text": "hello"}
    router(frame_event(json.dumps(asked_for)), PlayedContext())
    thread = cloud.invocations[-1][1]["thread_id"]

    def ask(**fields: str) -> Frame:
        router(frame_event(json.dumps({**fields, "thread_id": thread})), PlayedContext())
        return next(frame for frame in cloud.frames["C1="] if frame.get("id") == fields["id"])

    assert ask(action="rename", id="c2", title="Greetings") == {
        "type": "renamed",
        "id": "c2",
        "thread_id": thread,
        "title": "Greetings",
    }
    assert ask(action="forget", id="c3") == {"type": "forgotten", "id": "c3", "thread_id": thread}
    assert cloud.events()[-1]["type"] == "agent_cancelled"
    assert ask(action="attach", id="c4")["code"] == "thread_not_found"
    app("recovery").handler(sample("sweep"), PlayedContext())
    assert ask(action="history", id="c5")["code"] == "thread_not_found"


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
