"""The sample events, each driven through the handler of its function as Lambda would."""

import json

import pytest

from dayfly.protocol.frames import FRAMES, Detach
from tests.contract.cloud import ROOT, Cloud, app, sample
from tests.unit.aws.lambda_context import PlayedContext


def answer_of(action: str) -> str:
    """What the sample of an action is answered with in an empty table: an error where it names a run or a thread or is
    not supported, else the type of its reply."""
    frame = FRAMES[action]
    if frame.reply is None:
        return "not_supported"
    if "run_id" in frame.example:
        return "run_not_found"
    # To leave a thread that is not there is no error.
    if "thread_id" in frame.example and frame is not Detach:
        return "thread_not_found"
    return str(frame.reply.model_fields["type"].default)


ANSWERS = {"default": "unknown_action", **{action: answer_of(action) for action in FRAMES}}


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
    engines = {"engine", "engine-handed-over", "warm-up"}
    elsewhere = {"authorizer", "connect", "disconnect", "on-failure", "on-failure-expired", "sweep"} | engines
    assert {file.stem for file in (ROOT / "events").iterdir()} == set(ANSWERS) | elsewhere


def test_the_sample_connection_comes_and_goes(cloud: Cloud) -> None:
    """`connect.json` is let in under its subprotocol, with a warm-up; `disconnect.json` is taken."""
    handler = app("connection").handler
    answer = handler(sample("connect"), PlayedContext())
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "dayfly.v1"}}
    assert [payload for _, payload in cloud.invocations] == [sample("warm-up")]
    assert handler(sample("disconnect"), PlayedContext())["statusCode"] == 200


def test_the_sample_invocations_of_an_engine(cloud: Cloud) -> None:
    """`engine.json` and `engine-handed-over.json` name a run that is not there, so nothing is done; `warm-up.json` is
    answered."""
    handler = app("engine").handler
    assert handler(sample("engine"), PlayedContext()) == {"outcome": "superseded"}
    assert handler(sample("engine-handed-over"), PlayedContext()) == {"outcome": "superseded"}
    assert handler(sample("warm-up"), PlayedContext()) == {"outcome": "warm"}
    assert cloud.frames == {}


def test_the_sample_triggers_of_recovery(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """`sweep.json` counts the active runs; `on-failure.json` and `on-failure-expired.json` are about a run that is
    gone, so nothing is posted."""
    handler = app("recovery").handler
    handler(sample("sweep"), PlayedContext())
    assert '"ActiveRuns":[0.0]' in capsys.readouterr().out
    for notice in ("on-failure", "on-failure-expired"):
        handler(sample(notice), PlayedContext())
    assert cloud.frames == {}
    assert cloud.invocations == []


def test_the_sample_authorization(monkeypatch: pytest.MonkeyPatch) -> None:
    """`authorizer.json` carries a placeholder, which is no token: denied."""
    monkeypatch.setenv("JWT_ISSUER", "https://issuer.example")
    monkeypatch.setenv("JWT_AUDIENCE", "dayfly")
    answer = app("authorizer").handler(sample("authorizer"), PlayedContext())
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
