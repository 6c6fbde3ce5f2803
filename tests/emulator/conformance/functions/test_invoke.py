"""The Invoke API: kinds of invocation, names, limits, refusals."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, fresh

MB = 1024 * 1024


@fact("L31", sources.INVOKE)
def test_an_answer(app: Application) -> None:
    """A synchronous invocation is answered with status 200, the function's JSON and the version that ran."""
    answer = app.run("script", ("return", {"a": [1, None, "ä"]}))
    assert (answer.status, answer.value, answer.error, answer.version) == (200, {"a": [1, None, "ä"]}, None, "$LATEST")


@fact("L32", sources.INVOKE)
def test_forms_of_the_name(app: Application) -> None:
    """A function is named by its name, its ARN or a partial ARN, with or without `$LATEST`."""
    arn = app.run("script", ("context", None)).value["invoked_function_arn"]
    account = arn.split(":")[4]
    for name in (arn, f"{account}:function:conformance-script", "conformance-script:$LATEST"):
        said = app.client.invoke(FunctionName=name, Payload=b'{"do": [["return", 7]]}')
        assert json.loads(said["Payload"].read()) == 7
    assert app.run("script", ("return", 7), Qualifier="$LATEST").value == 7


@fact("L33", sources.INVOKE)
def test_an_unknown_function(app: Application) -> None:
    """A function, version or alias that does not exist is a ResourceNotFoundException, status 404."""
    unknown: list[tuple[str, dict[str, Any]]] = [("nobody", {}), ("script", {"Qualifier": "nobody"}), ("script:7", {})]
    for function, options in unknown:
        with pytest.raises(app.client.exceptions.ResourceNotFoundException) as refusal:
            app.run(function, **options)
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@fact("L34", sources.INVOKE)
def test_dry_run(app: Application) -> None:
    """`DryRun` is answered with status 204 and runs nothing."""
    before = app.run("state", ("calls", None)).value
    assert app.run("state", ("calls", None), InvocationType="DryRun").status == 204
    assert app.run("state", ("calls", None)).value == [before[0], before[1] + 1]


@fact("L35", sources.INVOKE)
def test_an_event(app: Application) -> None:
    """`Event` is answered with status 202 and an empty body, before the function ends."""
    said = app.client.invoke(
        FunctionName="conformance-script", InvocationType="Event", Payload=b'{"do": [["sleep", 1]]}'
    )
    assert (said["StatusCode"], said["Payload"].read()) == (202, b"")


@fact("L36", sources.INVOKE)
def test_a_payload_that_is_not_json(app: Application) -> None:
    """A payload that is not JSON is an InvalidRequestContentException, status 400, for every kind."""
    for kind in ("RequestResponse", "Event"):
        with pytest.raises(app.client.exceptions.InvalidRequestContentException) as refusal:
            app.client.invoke(FunctionName="conformance-script", InvocationType=kind, Payload=b"{")
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@fact("L37", sources.QUOTAS)
def test_a_long_request(app: Application) -> None:
    """A synchronous payload may have 6 MB; beyond it is a RequestTooLargeException, status 413."""
    assert app.invoke("script", "x" * (5 * MB)).value == "x" * (5 * MB)
    with pytest.raises(app.client.exceptions.RequestTooLargeException) as refusal:
        app.invoke("script", "x" * (6 * MB))
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@fact("L38", sources.QUOTAS)
def test_a_long_event(app: Application) -> None:
    """An asynchronous payload may have 1 MB; beyond it is a RequestTooLargeException, status 413."""
    app.send("script", {"unused": "x" * (MB - 1024)})
    with pytest.raises(app.client.exceptions.RequestTooLargeException) as refusal:
        app.send("script", {"unused": "x" * MB})
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@fact("L39", sources.QUOTAS)
def test_a_long_response(app: Application) -> None:
    """A response may have 6 MB; beyond it the invocation fails."""
    assert app.run("script", ("repeat", ["x", 5 * MB])).value == "x" * (5 * MB)
    answer = app.run("script", ("repeat", ["x", 7 * MB]))
    assert (answer.status, answer.error) == (200, "Unhandled")


@fact("L40", sources.COMMON_ERRORS)
def test_a_request_without_a_signature(app: Application) -> None:
    """A request that is not signed is refused with status 403."""
    address = f"{app.client.meta.endpoint_url}/2015-03-31/functions/conformance-script/invocations"
    with pytest.raises(HTTPError) as refusal, urlopen(Request(address, data=b"{}", method="POST")):
        pass
    refusal.value.close()
    assert refusal.value.code == 403


@fact("L41", sources.HANDLER)
def test_events_of_every_kind(app: Application) -> None:
    """An event may be any JSON: a list, a string, a number or null as well as an object."""
    key = fresh()
    for event in ([1, key], key, 1.5, None):
        assert app.invoke("script", event).value == event
