"""Lambda proxy integrations: call the function, wait no longer than the quota, read its answer."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.contract import Functions, Invocation, LambdaRefusal

_ERROR_CHARS = 300


@dataclass(frozen=True)
class Answer:
    """What a proxy integration returned."""

    status: int
    headers: Mapping[str, str]
    body: str | None


class IntegrationFailed(Exception):
    """The function could not be invoked, failed, or gave no proxy response; the argument says which."""


class IntegrationTimedOut(Exception):
    """The function did not answer within the integration's time-out. It goes on running, as on AWS."""


class Integrations:
    """Invokes functions for the gateway. Keeps calls that outlived their time-out from being collected."""

    def __init__(self, functions: Functions, *, timeout: float) -> None:
        self.timeout = timeout
        self._functions = functions
        self._calls: set[asyncio.Task[Invocation]] = set()

    async def invoke(self, function: str, payload: bytes, *, timeout: float | None = None) -> Invocation:
        """The function's answer, or error. Raises `IntegrationTimedOut`, and `IntegrationFailed` if Lambda refuses.

        `timeout` is the route's own, in seconds, which may only be shorter than the quota.
        """
        call = asyncio.ensure_future(self._functions.invoke(function, payload))
        self._calls.add(call)
        call.add_done_callback(self._forget)
        done, _ = await asyncio.wait({call}, timeout=min(self.timeout, self.timeout if timeout is None else timeout))
        if not done:
            raise IntegrationTimedOut(function)
        try:
            return call.result()
        except LambdaRefusal as refusal:
            raise IntegrationFailed(f"{function}: {type(refusal).__name__} {refusal}") from refusal

    async def proxy(self, function: str, payload: bytes, *, timeout: float | None = None) -> Answer:
        """The function's proxy response. Raises as `invoke` does, and `IntegrationFailed` if the function failed."""
        invocation = await self.invoke(function, payload, timeout=timeout)
        if invocation.function_error is not None:
            raise IntegrationFailed(f"{function}: {_error(invocation.payload)}")
        return _answer(function, invocation.payload)

    def _forget(self, call: asyncio.Task[Invocation]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # a call nobody waits for any more may fail without a word


def _error(payload: bytes) -> str:
    """A function's error without its stack trace, which its log has: `errorType: errorMessage`, in one line.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    try:
        error = json.loads(payload)
    except ValueError:
        error = None
    if isinstance(error, dict):
        parts = (str(error[key]) for key in ("errorType", "errorMessage") if error.get(key))
        text = ": ".join(parts)
    else:
        text = payload.decode(errors="replace")
    return " ".join(text.split())[:_ERROR_CHARS]


def _answer(function: str, payload: bytes) -> Answer:
    try:
        response = json.loads(payload)
    except ValueError as error:
        raise IntegrationFailed(f"{function}: the answer is not JSON") from error
    if not isinstance(response, dict):
        raise IntegrationFailed(f"{function}: malformed proxy response, not an object")
    try:
        status = int(response["statusCode"])
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrationFailed(f"{function}: malformed proxy response, no statusCode") from error
    # A Python function's None is null here, and counts as left out.
    given = {name: value for name, value in response.items() if value is not None}
    headers, body = given.get("headers", {}), given.get("body")
    if not 200 <= status <= 599 or not isinstance(headers, dict) or not (body is None or isinstance(body, str)):
        raise IntegrationFailed(f"{function}: malformed proxy response, statusCode, headers or body is of a wrong kind")
    return Answer(status=status, headers={str(name): str(value) for name, value in headers.items()}, body=body)
