"""How engines are invoked, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import pytest

from dayfly.aws.calls import Pool, client_config
from dayfly.aws.invocation_payloads import RunPayload, WarmUpPayload, engine_payload
from dayfly.aws.invoker import LambdaInvoker
from dayfly.aws.settings import Isolation
from dayfly.context.run_ref import RunRef
from dayfly.errors import PortError, Unsettled
from dayfly.runs.invoker import EngineCall
from tests.unit.aws.loopback import Answer, Loopback, Request

CALL = EngineCall(
    ref=RunRef(user_id="u-1", tenant_id="o-1", thread_id="t-1", run_id="r-1"),
    request_id="q",
    agent_name="assistant",
    attempt=2,
    first_seq=9,
)


@contextmanager
def invoker_to(server: Loopback, isolation: Isolation) -> Iterator[LambdaInvoker]:
    client = boto3.client(
        "lambda",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=client_config(attempts=1),
    )
    with Pool() as pool:
        yield LambdaInvoker(client, pool, function="Engine", isolation=isolation)
    client.close()


@pytest.mark.parametrize(
    ("isolation", "tenant"), [(Isolation.USER, "u-1"), (Isolation.TENANT, "o-1"), (Isolation.NONE, None)]
)
async def test_an_event_invocation_in_the_chosen_isolation(
    server: Loopback, isolation: Isolation, tenant: str | None
) -> None:
    """Runs and warm-ups are `Event` invocations under the user's, the tenant's or no tenant id."""
    server.answer = lambda _: Answer(202)
    with invoker_to(server, isolation) as invoker:
        await invoker.start(CALL)
        await invoker.warm_up(user_id="u-1", tenant_id="o-1")
    for request in server.requests:
        assert request.path == "/2015-03-31/functions/Engine/invocations"
        assert request.headers["x-amz-invocation-type"] == "Event"
        assert request.headers.get("x-amz-tenant-id") == tenant
    run, warm_up = (engine_payload(json.loads(request.body)) for request in server.requests)
    assert isinstance(run, RunPayload)
    assert run.call() == CALL
    assert warm_up == WarmUpPayload()


def failing(status: int, name: str) -> Callable[[Request], Answer]:
    return lambda _: Answer(status, b'{"Message": "arn:aws:lambda:secret"}', {"x-amzn-ErrorType": name})


@pytest.mark.parametrize(
    ("status", "name"),
    [(429, "TooManyRequestsException"), (500, "ServiceException"), (502, "EC2UnexpectedException")],
)
async def test_throttling_settles_nothing(server: Loopback, status: int, name: str) -> None:
    """429 and 5xx are `Unsettled`."""
    server.answer = failing(status, name)
    with invoker_to(server, Isolation.NONE) as invoker, pytest.raises(Unsettled):
        await invoker.start(CALL)


@pytest.mark.parametrize(
    ("status", "name"), [(404, "ResourceNotFoundException"), (400, "InvalidParameterValueException")]
)
async def test_a_wrong_call_is_an_error_of_the_port(server: Loopback, status: int, name: str) -> None:
    """A function that is not there, or that refuses the tenant id, is a `PortError` that names Lambda's error only."""
    server.answer = failing(status, name)
    with invoker_to(server, Isolation.USER) as invoker, pytest.raises(PortError) as raised:
        await invoker.start(CALL)
    assert type(raised.value) is PortError
    assert str(raised.value) == name
