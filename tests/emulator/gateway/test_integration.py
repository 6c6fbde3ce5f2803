"""Lambda proxy integrations.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
"""

from __future__ import annotations

import asyncio

import pytest

from emulator.contract import Invocation, Throttled
from emulator.gateway.integration import Answer, IntegrationFailed, Integrations, IntegrationTimedOut
from tests.emulator.gateway.harness import Event, PythonFunctions


async def echo(event: Event) -> object:
    """Answers with its event."""
    return event


def integrations(timeout: float = 5) -> Integrations:
    """Integrations with one function."""
    return Integrations(PythonFunctions({"echo": echo}), timeout=timeout)


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b'{"statusCode": 200}', Answer(200, {}, None)),
        (b'{"statusCode": "201", "body": null, "headers": null}', Answer(201, {}, None)),
        (b'{"statusCode": 200, "body": "x", "headers": {"a": 1}}', Answer(200, {"a": "1"}, "x")),
    ],
)
async def test_a_proxy_response_is_read(payload: bytes, answer: Answer) -> None:
    """statusCode as number or digits; headers and body may be missing or null."""
    assert await integrations().proxy("echo", payload) == answer


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"statusCode": "ok"}',
        b'{"statusCode": 0}',
        b'{"statusCode": 200, "body": {}, "headers": []}',
        b'{"statusCode": 200, "body": {"a": 1}}',
    ],
)
async def test_another_answer_is_malformed(payload: bytes) -> None:
    """What is no proxy response is a failed integration."""
    with pytest.raises(IntegrationFailed, match="malformed"):
        await integrations().proxy("echo", payload)


async def test_a_call_that_timed_out_goes_on() -> None:
    """API Gateway stops to wait; the function is not cancelled."""
    finished = asyncio.Event()

    async def slow(event: Event) -> object:
        await asyncio.sleep(0.2)
        finished.set()
        return {"statusCode": 200}

    calls = Integrations(PythonFunctions({"slow": slow}), timeout=0.05)
    with pytest.raises(IntegrationTimedOut):
        await calls.proxy("slow", b"{}")
    await asyncio.wait_for(finished.wait(), 5)


async def test_a_refusal_of_lambda_is_a_failed_integration() -> None:
    """Throttled or unknown, the function's name and the reason are in the message."""
    functions = PythonFunctions({}, refusal=Throttled("Rate Exceeded."))
    with pytest.raises(IntegrationFailed, match=r"echo: Throttled Rate Exceeded\."):
        await Integrations(functions, timeout=5).proxy("echo", b"{}")


class Failing(PythonFunctions):
    """Lambda whose functions all fail."""

    error: bytes = b""

    async def invoke(
        self,
        function: str,
        payload: bytes,
        *,
        tenant_id: str | None = None,
        client_context: str | None = None,
        tail: bool = False,
    ) -> Invocation:
        """Fail."""
        return Invocation(payload=self.error, function_error="Unhandled", request_id="r")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            b'{"errorMessage": "no\\nway", "errorType": "KeyError", "requestId": "r", "stackTrace": ["x"]}',
            "KeyError: no way",
        ),
        (b'{"errorMessage": "late"}', "late"),
        (b"\xff", "\ufffd"),
    ],
)
async def test_a_functions_error_is_told_in_one_line(error: bytes, said: str) -> None:
    """Its kind and its message; the function's own log has the stack trace."""
    functions = Failing({})
    functions.error = error
    with pytest.raises(IntegrationFailed) as failed:
        await Integrations(functions, timeout=5).proxy("echo", b"{}")
    assert str(failed.value) == f"echo: {said}"
