"""Asynchronous invocation: retries, age, throttling, destinations, duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, Json, client_context, fresh


@dataclass(frozen=True)
class Failed:
    """An event, its request id, and the record that the on-failure destination got."""

    event: Json
    request_id: str
    record: Json


@fact("A1", sources.ASYNC)
def test_an_event_is_run(app: Application) -> None:
    """An asynchronous invocation is run later, with the request id that Invoke answered with."""
    key = fresh()
    request_id = app.send("event", {"key": key})
    assert [note["request_id"] for note in app.notes(key, 1)] == [request_id]


@pytest.fixture(scope="module")
def failed(app: Application) -> Failed:
    """An event whose function failed each time, once it was given up."""
    event: dict[str, Json] = {"key": fresh(), "fails": 3}
    request_id = app.send("event", event)
    return Failed(event, request_id, app.record("FAILURES", event["key"]))


@fact("A2", sources.RETRIES)
def test_two_retries(app: Application, failed: Failed) -> None:
    """An event whose function fails is tried two more times, with the same request id; the second wait is longer."""
    notes = app.notes(failed.event["key"], 3)
    assert [note["request_id"] for note in notes] == [failed.request_id] * 3
    first, second, third = (note["at"] for note in notes)
    assert third - second > second - first


@fact("A3", sources.RECORDS)
def test_the_record_of_a_failure(failed: Failed) -> None:
    """The on-failure queue gets version, timestamp, request context, request payload, response context and payload."""
    record = failed.record
    context = dict(record["requestContext"])
    assert context.pop("functionArn").endswith(":function:conformance-event:$LATEST")
    assert context == {"requestId": failed.request_id, "condition": "RetriesExhausted", "approximateInvokeCount": 3}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert (record["version"], record["requestPayload"]) == ("1.0", failed.event)
    assert record["timestamp"].endswith("Z")
    response = record["responsePayload"]
    assert (response["errorType"], response["errorMessage"]) == ("Refused", "attempt 3")


@fact("A4", sources.RETRY_SETTINGS)
def test_no_retries(app: Application) -> None:
    """With MaximumRetryAttempts 0 there is one attempt, and the on-failure function gets the record at once."""
    key = fresh()
    app.send("once", {"key": key, "fails": 9})
    (record,) = app.notes(f"{key} record", 1)
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert len(app.notes(key, 1)) == 1


@fact("A5", sources.RETRIES)
def test_a_time_out_is_retried(app: Application) -> None:
    """A time-out counts as an error of the function; with MaximumRetryAttempts 1 there are two attempts."""
    key = fresh()
    request_id = app.send("twice", {"key": key, "do": [["sleep", 8]]})
    assert [note["request_id"] for note in app.notes(key, 2)] == [request_id] * 2


@fact("A6", sources.RECORDS)
def test_the_record_of_a_success(app: Application) -> None:
    """The on-success function gets a record with condition `Success` and the function's answer, of a retry too."""
    key = fresh()
    event = {"key": key, "fails": 1, "do": [["return", {"b": 2}]]}
    request_id = app.send("event", event)
    (record,) = app.notes(f"{key} record", 1)
    context = record["requestContext"]
    assert (context["requestId"], context["condition"]) == (request_id, "Success")
    assert context["approximateInvokeCount"] == 2
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert (record["requestPayload"], record["responsePayload"]) == (event, {"b": 2})


@fact("A7", sources.RECORDS)
def test_a_queue_for_successes(app: Application) -> None:
    """An on-success destination may be a queue."""
    key = fresh()
    app.send("once", {"key": key, "do": [["return", 7]]})
    assert app.record("SUCCESSES", key)["responsePayload"] == 7


@fact("A8", sources.RETRIES)
def test_throttled_events_wait(app: Application) -> None:
    """Events over the concurrency wait and are run later; none is lost, and being throttled is no attempt."""
    keys = [fresh() for _ in range(3)]
    ids = [app.send("queued", {"key": key, "do": [["sleep", 0.2]]}) for key in keys]
    notes = [app.notes(key, 1) for key in keys]
    assert [[note["request_id"] for note in each] for each in notes] == [[request_id] for request_id in ids]


@fact("A9", sources.RECORDS)
def test_a_function_that_is_switched_off(app: Application) -> None:
    """With a reserved concurrency of 0 an event goes to the on-failure destination without any attempt or retry."""
    key = fresh()
    app.send("off", {"key": key})
    record = app.record("FAILURES", key)
    assert record["requestPayload"] == {"key": key}
    assert "responsePayload" not in record


@fact("A10", sources.RETRIES, local="the maximum age is shortened to 1 s; a function allows 60 s at least")
def test_an_old_event(app: Application) -> None:
    """An event that is throttled until its maximum age is given up, with condition `EventAgeExceeded`."""
    key = fresh()
    with app.limits(event_age=1):
        app.fault("invocation_throttled", function="event", duration_s=1.5)
        app.send("event", {"key": key})
        context = app.record("FAILURES", key)["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 0)
    assert app.store({"notes": key}) == []


@fact("A11", sources.RETRIES, local="a duplicate cannot be ordered")
def test_a_duplicate(app: Application) -> None:
    """An event may be delivered twice although the function succeeded, with the same request id."""
    key = fresh()
    app.fault("event_duplicated", function="event", after_s=0.1)
    request_id = app.send("event", {"key": key})
    assert [note["request_id"] for note in app.notes(key, 2)] == [request_id] * 2


@fact("A12", sources.RETRIES, local="a loss cannot be ordered")
def test_a_lost_event(app: Application) -> None:
    """An event that was accepted may be lost without being sent to the function."""
    lost, kept = fresh(), fresh()
    app.fault("event_lost", function="event")
    app.send("event", {"key": lost})
    app.send("event", {"key": kept})
    app.notes(kept, 1)
    assert app.store({"notes": lost}) == []


@fact("A13", sources.TENANT_INVOKE)
def test_the_tenant_of_an_event(app: Application) -> None:
    """An asynchronous invocation carries its tenant to the function."""
    key = fresh()
    app.send("tenant-event", {"key": key}, TenantId="blue")
    assert [note["tenant_id"] for note in app.notes(key, 1)] == ["blue"]


@fact("A14", sources.INVOKE)
def test_no_client_context(app: Application) -> None:
    """The client context is passed on for synchronous invocations only."""
    key = fresh()
    app.send("event", {"key": key}, ClientContext=client_context({"custom": {"a": 1}}))
    assert [note["client_context"] for note in app.notes(key, 1)] == [False]


@fact("A15", sources.ASYNC)
def test_an_event_for_nobody(app: Application) -> None:
    """What is wrong with the request itself is refused at once, not queued."""
    with pytest.raises(app.client.exceptions.ResourceNotFoundException):
        app.send("nobody", {})


@fact("A16", sources.RECORDS)
def test_a_topic(app: Application) -> None:
    """A destination may be a topic, which hands the record on to its subscribers."""
    key = fresh()
    app.send("twice", {"key": key, "do": [["return", 8]]})
    assert app.record("SUCCESSES", key)["responsePayload"] == 8


@fact("A17", sources.RECORDS)
def test_a_dead_letter(app: Application) -> None:
    """A dead-letter queue gets the event itself, with the attributes RequestID, ErrorCode and ErrorMessage."""
    key = fresh()
    event = {"key": key, "fails": 9}
    request_id = app.send("twice", event)
    letter = app.dead_letter(key)
    assert letter["body"] == event
    attributes = {name: (each["DataType"], each["StringValue"]) for name, each in letter["attributes"].items()}
    assert attributes == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "attempt 2"),
    }
