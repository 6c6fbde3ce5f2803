"""The Invoke endpoint with real boto3.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulator.contract import InvalidTenant, LambdaRefusal, Throttled
from emulator.gateway.invoke import function_name
from tests.emulator.gateway.harness import Event, FunctionError, Gateway, running


async def echo(event: Event) -> object:
    """Answers its event."""
    return event


async def fail(event: Event) -> object:
    """Fails."""
    raise FunctionError("boom")


@asynccontextmanager
async def lambda_client() -> AsyncIterator[tuple[Gateway, Any]]:
    """A gateway with two functions, and a Lambda client."""
    async with running(handlers={"echo": echo, "fail": fail}) as gateway:
        client = gateway.client("lambda")
        yield gateway, client
        client.close()


async def test_a_function_answers_a_request() -> None:
    """RequestResponse returns the function's JSON, status 200 and the version."""
    async with lambda_client() as (_, client):
        arn = "arn:aws:lambda:us-east-1:123456789012:function:echo"
        for name in ("echo", arn, "123456789012:function:echo", "echo:$LATEST"):
            answer = await asyncio.to_thread(client.invoke, FunctionName=name, Payload=b'{"a": 1}')
            assert answer["StatusCode"] == 200
            assert answer["ExecutedVersion"] == "$LATEST"
            assert "FunctionError" not in answer
            assert json.loads(answer["Payload"].read()) == {"a": 1}


async def test_a_function_error_is_status_200_with_a_header() -> None:
    """X-Amz-Function-Error says Unhandled, the body has errorMessage and errorType."""
    async with lambda_client() as (_, client):
        answer = await asyncio.to_thread(client.invoke, FunctionName="fail")
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert json.loads(answer["Payload"].read())["errorMessage"] == "boom"


async def test_event_and_dry_run_answer_without_a_body() -> None:
    """Event is 202 and carries the tenant id on; DryRun is 204 and runs nothing."""
    async with lambda_client() as (gateway, client):
        options = {"FunctionName": "echo", "InvocationType": "Event", "TenantId": "u-1"}
        answer = await asyncio.to_thread(client.invoke, **options, Payload=b"{}")
        assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
        assert gateway.functions.tenants == ["u-1"]
        answer = await asyncio.to_thread(client.invoke, FunctionName="echo", InvocationType="DryRun")
        assert answer["StatusCode"] == 204
        assert len(gateway.functions.of("echo")) == 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(Throttled("Rate Exceeded."), "TooManyRequestsException"), (InvalidTenant("x"), "InvalidParameterValueException")],
)
async def test_a_refusal_is_the_modelled_exception(refusal: LambdaRefusal, error: str) -> None:
    """botocore raises what its model names for Lambda's refusals."""
    async with lambda_client() as (gateway, client):
        gateway.functions.refusal = refusal
        with pytest.raises(client.exceptions.from_code(error), match=str(refusal)):
            await asyncio.to_thread(client.invoke, FunctionName="echo")


async def test_an_unknown_function_is_not_found() -> None:
    """Also a version that does not exist, and for DryRun."""
    async with lambda_client() as (_, client):
        for name, kind in (("nobody", "Event"), ("echo:7", "RequestResponse"), ("nobody", "DryRun")):
            with pytest.raises(client.exceptions.ResourceNotFoundException):
                await asyncio.to_thread(client.invoke, FunctionName=name, InvocationType=kind)


async def test_a_payload_over_its_limit_is_refused() -> None:
    """1 MB for Event; a request-response call takes 6 MB."""
    async with lambda_client() as (_, client):
        payload = json.dumps("x" * (1024 * 1024)).encode()
        with pytest.raises(client.exceptions.RequestTooLargeException):
            await asyncio.to_thread(client.invoke, FunctionName="echo", InvocationType="Event", Payload=payload)
        answer = await asyncio.to_thread(client.invoke, FunctionName="echo", Payload=payload)
        assert len(answer["Payload"].read()) == len(payload)


def test_a_name_is_read_from_every_form_of_reference() -> None:
    """Name, partial ARN, full ARN; a version other than $LATEST is kept."""
    assert function_name("f") == "f"
    assert function_name("arn:aws:lambda:us-east-1:1:function:f") == "f"
    assert function_name("1:function:f:$LATEST") == "f"
    assert function_name("f:live") == "f:live"
