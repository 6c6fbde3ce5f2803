"""Asynchronous invocation: retries, age, destinations, faults; and schedules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.contract import FunctionSpec, ScheduleSpec
from emulator.functions import LambdaOptions, LambdaService
from emulator.functions.faults import NoFaults
from emulator.functions.options import LambdaLimits
from tests.emulator.functions.support import eventually, function, running

FAST = LambdaOptions(limits=LambdaLimits(first_retry_wait=0.05, second_retry_wait=0.05, throttle_wait=0.05))


def recorder(folder: Path, body: str = "", **options: Any) -> tuple[FunctionSpec, Path]:
    """A function that appends each event to a file, then runs `body`."""
    file = folder / f"{options.get('name', 'fn')}.jsonl"
    spec = function(
        folder,
        f"""
        import json, time
        def handler(event, context):
            with open({str(file)!r}, "a") as seen:
                seen.write(json.dumps([context.aws_request_id, event]) + "\\n")
            {body}
    """,
        **options,
    )
    return spec, file


def seen(file: Path) -> list[list[Any]]:
    """What a recorder has seen: request ids and events."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def settled(service: LambdaService) -> None:
    """Wait until no event is under way."""
    await eventually(lambda: service.events_waiting == 0)


async def test_an_event_is_run_later_with_the_id_that_was_returned(tmp_path: Path) -> None:
    """Event returns a request id at once, and the function sees that id."""
    spec, file = recorder(tmp_path)
    async with running(spec) as service:
        request_id = await service.invoke_event("fn", b'{"a": 1}')
        await settled(service)
    assert seen(file) == [[request_id, {"a": 1}]]


async def test_a_failing_event_is_tried_three_times_then_handed_to_the_destination(tmp_path: Path) -> None:
    """Two retries with the same request id, then the on-failure function gets AWS's record."""
    spec, file = recorder(tmp_path, "raise ValueError('no')", on_failure="rescue")
    rescue, rescued = recorder(tmp_path, name="rescue")
    async with running(spec, rescue, options=FAST) as service:
        request_id = await service.invoke_event("fn", b'{"a": 1}')
        await settled(service)
    assert seen(file) == [[request_id, {"a": 1}]] * 3
    record = seen(rescued)[0][1]
    timestamp = record.pop("timestamp")
    stack = record["responsePayload"].pop("stackTrace")
    assert timestamp.endswith("Z")
    assert stack
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:fn:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no", "errorType": "ValueError", "requestId": request_id},
    }


async def test_without_retries_a_time_out_reaches_the_destination_at_once(tmp_path: Path) -> None:
    """MaximumRetryAttempts 0: one attempt, then the record with the time-out."""
    spec, file = recorder(tmp_path, "time.sleep(9)", retries=0, timeout_s=1, on_failure="rescue")
    rescue, rescued = recorder(tmp_path, name="rescue")
    async with running(spec, rescue, options=FAST) as service:
        await service.invoke_event("fn", b"{}")
        await settled(service)
    assert len(seen(file)) == 1
    assert seen(rescued)[0][1]["responsePayload"]["errorType"] == "Sandbox.Timedout"


async def test_a_throttled_event_waits_for_a_free_environment(tmp_path: Path) -> None:
    """Three events on a function of concurrency 1 all run, one after the other."""
    spec, file = recorder(tmp_path, "time.sleep(0.1)", reserved=1)
    async with running(spec, options=FAST) as service:
        for number in range(3):
            await service.invoke_event("fn", str(number).encode())
        await settled(service)
    assert sorted(event for _, event in seen(file)) == [0, 1, 2]


async def test_an_event_that_is_throttled_too_long_expires(tmp_path: Path) -> None:
    """At the maximum age the destination gets EventAgeExceeded, without a response."""
    spec, file = recorder(tmp_path, "time.sleep(3)", reserved=1, age_s=1, on_failure="rescue")
    rescue, rescued = recorder(tmp_path, name="rescue")
    async with running(spec, rescue, options=FAST) as service:
        busy = asyncio.create_task(service.invoke("fn", b"{}"))
        await eventually(lambda: len(seen(file)) == 1)
        await service.invoke_event("fn", b"{}")
        await settled(service)
        await busy
    record = seen(rescued)[0][1]
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record


async def test_an_event_of_a_function_that_is_switched_off_is_given_up_at_once(tmp_path: Path) -> None:
    """Reserved concurrency 0: no attempt, no wait, straight to the destination."""
    spec, file = recorder(tmp_path, reserved=0, on_failure="rescue")
    rescue, rescued = recorder(tmp_path, name="rescue")
    async with running(spec, rescue) as service:
        await service.invoke_event("fn", b"{}")
        await settled(service)
    assert seen(file) == []
    context = seen(rescued)[0][1]["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("ZeroReservedConcurrency", 0)


async def test_a_success_has_a_destination_of_its_own(tmp_path: Path) -> None:
    """The on-success function gets the answer, the on-failure one hears nothing."""
    spec, _ = recorder(tmp_path, "return {'b': 2}", on_success="happy", on_failure="rescue")
    happy, told = recorder(tmp_path, name="happy")
    rescue, rescued = recorder(tmp_path, name="rescue")
    async with running(spec, happy, rescue) as service:
        await service.invoke_event("fn", b'{"a": 1}')
        await settled(service)
    record = seen(told)[0][1]
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert (record["requestPayload"], record["responsePayload"]) == ({"a": 1}, {"b": 2})
    assert seen(rescued) == []


async def test_a_queue_can_be_the_destination(tmp_path: Path) -> None:
    """A queue's ARN as OnFailure gets the record as a message body."""
    sent: list[tuple[str, bytes]] = []

    async def send(arn: str, body: bytes, attributes: Mapping[str, str | int]) -> None:
        sent.append((arn, body))

    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    spec, _ = recorder(tmp_path, "raise ValueError", retries=0, on_failure=arn)
    async with running(spec, send=send) as service:
        await service.invoke_event("fn", b'{"a": 1}')
        await settled(service)
    assert [(target, json.loads(body)["requestPayload"]) for target, body in sent] == [(arn, {"a": 1})]


@pytest.mark.parametrize(
    ("reserved", "error"),
    [(None, {"ErrorCode": 200, "ErrorMessage": "no"}), (0, {"ErrorCode": 429, "ErrorMessage": "Rate Exceeded."})],
)
async def test_a_dead_letter_queue_gets_the_event_itself(
    tmp_path: Path, reserved: int | None, error: dict[str, str | int]
) -> None:
    """With the request's id and the error beside it; successes leave nothing there."""
    sent: list[tuple[str, bytes, Mapping[str, str | int]]] = []

    async def send(arn: str, body: bytes, attributes: Mapping[str, str | int]) -> None:
        sent.append((arn, body, attributes))

    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    spec, _ = recorder(tmp_path, "if event: raise ValueError('no')", retries=0, reserved=reserved)
    async with running(replace(spec, dead_letter=arn), send=send) as service:
        if reserved is None:
            await service.invoke_event("fn", b"0")
        request_id = await service.invoke_event("fn", b'{"a": 1}')
        await settled(service)
    assert sent == [(arn, b'{"a": 1}', {"RequestID": request_id, **error})]


class Deliveries(NoFaults):
    """Delivers every event at fixed delays."""

    def __init__(self, *delays_s: float) -> None:
        self._delays_s = delays_s

    def deliveries(self, function: str) -> tuple[float, ...]:
        """The delays."""
        return self._delays_s


async def test_an_event_can_be_duplicated_and_lost(tmp_path: Path) -> None:
    """The fault seam delivers an event twice with one request id, or never."""
    spec, file = recorder(tmp_path)
    async with running(spec, faults=Deliveries(0, 0.1)) as service:
        request_id = await service.invoke_event("fn", b"1")
        await settled(service)
    assert seen(file) == [[request_id, 1], [request_id, 1]]
    async with running(spec, faults=Deliveries()) as service:
        await service.invoke_event("fn", b"2")
        await settled(service)
    assert len(seen(file)) == 2


async def test_a_schedule_invokes_its_function(tmp_path: Path) -> None:
    """A rate rule fires each interval, with EventBridge's event or the rule's own input."""
    spec, file = recorder(tmp_path)
    schedules = [ScheduleSpec("fn", 60, None), ScheduleSpec("fn", 60, '{"own": 1}')]
    async with running(spec, schedules=schedules, options=LambdaOptions(schedule_every_s=0.2)) as service:
        await eventually(lambda: len(seen(file)) >= 4)
        await settled(service)
    events = [event for _, event in seen(file)]
    assert {"own": 1} in events
    assert {event["source"] for event in events if "source" in event} == {"aws.events"}
    assert {event["detail-type"] for event in events if "source" in event} == {"Scheduled Event"}
