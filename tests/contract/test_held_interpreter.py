"""A tool that holds the interpreter stalls its engine: a real process, a real regular expression, a short lease."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
import pytest

from tests.contract.cloud import ROOT, Cloud, Frame, app, frame_event, sample
from tests.unit.aws.lambda_context import PlayedContext

LEASE_S: Final = 0.4
PROGRAM: Final = f"""
import json, sys
from dayfly.engine import lease_keeper
from dayfly.runs import lease
lease.LEASE_MS = lease_keeper.LEASE_MS = {round(LEASE_S * 1000)}
lease_keeper.RENEW_S = {LEASE_S / 4}
from functions.engine.app import handler
from tests.unit.aws.lambda_context import PlayedContext
print(handler(json.loads(sys.argv[1]), PlayedContext(request_id="engine-1", remaining_ms=600_000))["outcome"])
"""
PATIENCE_S: Final = 120.0


@contextmanager
def held(payload: Any) -> Iterator[subprocess.Popen[str]]:
    """An engine in a process of its own, whose tool has held the interpreter for longer than its lease."""
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/dayfly", "functions/engine", "."))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(payload)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until = time.monotonic() + PATIENCE_S
            while not is_held():
                assert time.monotonic() < until
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def is_held() -> bool:
    """Whether the tool is at work and the engine's lease is out for some time. (That the tool is at work may not have
    been posted: the posts are held as well.)"""
    items = stored()
    leases = [int(item["due"]["N"]) / 1000 for item in items if item["sk"]["S"].startswith("LEASE#")]
    return "tool_executing" in types(logged(items)) and leases[0] < time.time() - LEASE_S


def stored() -> list[dict[str, Any]]:
    """All items of the table, by key."""
    client = boto3.client("dynamodb")
    items: list[dict[str, Any]] = client.scan(TableName=os.environ["TABLE_NAME"], ConsistentRead=True)["Items"]
    client.close()
    return sorted(items, key=lambda item: item["sk"]["S"])


def logged(items: list[dict[str, Any]]) -> list[Frame]:
    """The run's events in the log."""
    rows = [item for item in items if item["sk"]["S"].startswith("LOG#")]
    return [json.loads(event["S"]) for row in rows for event in row["events"]["L"]]


def types(events: list[Frame]) -> list[str]:
    """The types of events."""
    return [event["type"] for event in events]


def told(process: subprocess.Popen[str]) -> list[str]:
    """What the engine's process came to: whether the next tool ran, and the outcome of the attempt."""
    output, _ = process.communicate(timeout=PATIENCE_S)
    return [line for line in output.splitlines() if not line.startswith("{")]


def asked(router: Any) -> None:
    frame = {"action": "run", "id": "c1", "text": "Hold.", "agent": "holding"}
    router(frame_event(json.dumps(frame)), PlayedContext())


@pytest.fixture(autouse=True)
def agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTS_PACKAGE", "tests.live.agents")


def test_a_held_engine_that_was_replaced_does_nothing_more(cloud: Cloud) -> None:
    """Once its lease is out, the sweep has another engine go on, for which the held call has begun and not completed.
    The held one, let go, runs no other tool, and adds nothing to what the other one has ended; it posts what it had
    logged."""
    router, engine, recovery = app("router").handler, app("engine").handler, app("recovery").handler
    asked(router)
    with held(cloud.invocations[-1][1]) as process:
        recovery(sample("sweep"), PlayedContext(request_id="sweep-1"))
        assert engine(cloud.invocations[-1][1], PlayedContext(request_id="engine-2")) == {"outcome": "completed"}
        assert process.poll() is None, "it was let go too early to show anything"
        before = logged(stored())
        assert told(process) == ["superseded"]
    assert logged(stored()) == cloud.events() == before
    assert types(before)[-5:] == ["tool_executing", "agent_resumed", "agent_thinking", "agent_delta", "agent_completed"]
    assert before[-1]["payload"]["result"] == "In doubt: call-1."


def test_a_held_engine_that_nobody_replaced_goes_on(cloud: Cloud) -> None:
    """It renews its lease, though that was out, and runs the next tool once."""
    asked(app("router").handler)
    with held(cloud.invocations[-1][1]) as process:
        assert told(process) == ["followed", "completed"]
    assert cloud.events()[-1]["payload"]["result"] == "Both ran."
    assert types(cloud.events()).count("tool_executing") == types(cloud.events()).count("tool_completed") == 2


def test_a_cancel_waits_for_the_lease_at_most(cloud: Cloud) -> None:
    """A cancel that comes when the held engine's lease is out ends the run at once; let go, the engine adds nothing."""
    router = app("router").handler
    asked(router)
    payload = cloud.invocations[-1][1]
    with held(payload) as process:
        router(frame_event(json.dumps({"action": "cancel", "id": "c2", "run_id": payload["run_id"]})), PlayedContext())
        assert cloud.events()[-1]["type"] == "agent_cancelled"
        assert process.poll() is None, "it was let go too early to show anything"
        before = logged(stored())
        assert told(process) == ["superseded"]
    assert logged(stored()) == cloud.events() == before
    assert types(before)[-2:] == ["tool_executing", "agent_cancelled"]
