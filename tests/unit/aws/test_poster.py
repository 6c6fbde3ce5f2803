"""What the poster does about API Gateway's errors, over real HTTP. (What all posters do is in the contract suite.)"""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from dayfly.aws import poster as poster_module
from dayfly.aws.calls import Pool, client_config
from dayfly.aws.poster import ATTEMPTS, ApiGatewayPoster
from dayfly.clock import SystemClock
from dayfly.errors import Gone, PostRefused, Unsettled
from dayfly.metrics import Metric
from tests.fakes.ports import ManualClock, MemoryMeter
from tests.unit.aws.loopback import Answer, Loopback, Request


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture
def poster(server: Loopback, meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiGatewayPoster]:
    monkeypatch.setattr(poster_module, "_BASE_S", 0.001)
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=f"{server.url}/live",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=client_config(attempts=1, read_timeout=0.3),
    )
    with Pool() as pool:
        yield ApiGatewayPoster(client, pool, clock=SystemClock(), meter=meter)
    client.close()


def error(status: int, name: str) -> Answer:
    return Answer(status, b'{"message": "m"}', {"x-amzn-ErrorType": name})


async def test_throttling_is_met_with_the_same_frame(
    poster: ApiGatewayPoster, server: Loopback, meter: MemoryMeter
) -> None:
    """After 429 the same frame is sent again, and one latency over all attempts is measured."""
    answers = iter([error(429, "LimitExceededException"), error(429, "LimitExceededException"), Answer()])
    server.answer = lambda _: next(answers)
    await poster.post("c", b"frame")
    assert [request.body for request in server.requests] == [b"frame"] * 3
    assert [one.metric for one in meter.taken] == [Metric.POST_LATENCY]
    assert meter.total(Metric.POST_LATENCY) > 0


@pytest.mark.parametrize("answer", [error(429, "LimitExceededException"), error(500, "InternalFailure"), Answer(503)])
async def test_throttling_without_end_is_unsettled(poster: ApiGatewayPoster, server: Loopback, answer: Answer) -> None:
    """A frame is sent eight times, not nine."""
    answers = iter([*[answer] * 8, Answer()])
    server.answer = lambda _: next(answers)
    with pytest.raises(Unsettled):
        await poster.post("c", b"frame")
    assert len(server.requests) == ATTEMPTS == 8


async def test_the_last_attempt_counts(poster: ApiGatewayPoster, server: Loopback) -> None:
    """A frame that the eighth attempt brings has arrived."""
    answers = iter([*[error(429, "LimitExceededException")] * 7, Answer()])
    server.answer = lambda _: next(answers)
    await poster.post("c", b"frame")
    assert len(server.requests) == 8


async def test_a_gateway_that_is_not_there_is_tried_as_often(
    poster: ApiGatewayPoster, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that can't be made is met like throttling; the error says what it was."""
    tried: list[str] = []

    def refuse(**_: object) -> None:
        tried.append("x")
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setattr(poster, "_client", SimpleNamespace(post_to_connection=refuse))
    with pytest.raises(Unsettled, match=r"^EndpointConnectionError$") as raised:
        await poster.post("c", b"frame")
    assert isinstance(raised.value.__cause__, EndpointConnectionError)
    assert len(tried) == 8


async def test_what_botocore_will_not_send_is_refused(poster: ApiGatewayPoster, server: Loopback) -> None:
    """An error of the call itself is told at once, with its cause."""
    with pytest.raises(PostRefused, match=r"^ParamValidationError$") as raised:
        await poster.post("c", 7)  # type: ignore[arg-type]
    assert isinstance(raised.value.__cause__, ParamValidationError)
    assert server.requests == []


async def test_the_latency_is_in_milliseconds(poster: ApiGatewayPoster, server: Loopback, meter: MemoryMeter) -> None:
    """From the first attempt to the answer that counts."""
    clock = ManualClock()
    clock.advance(100)
    poster._clock = clock

    def late(_: Request) -> Answer:
        clock.advance(0.25)
        return Answer() if len(server.requests) == 2 else error(429, "LimitExceededException")

    server.answer = late
    await poster.post("c", b"frame")
    assert meter.total(Metric.POST_LATENCY) == 500


REFUSALS = [
    error(403, "ForbiddenException"),
    error(413, "PayloadTooLargeException"),
    error(400, "BadRequestException"),
    Answer(403, b'{"message":"Forbidden"}'),
]


@pytest.mark.parametrize("answer", REFUSALS)
async def test_a_refusal_is_final(poster: ApiGatewayPoster, server: Loopback, answer: Answer) -> None:
    """403 and 413 are not tried again."""
    server.answer = lambda _: answer
    with pytest.raises(PostRefused) as raised:
        await poster.post("c", b"frame")
    assert len(server.requests) == 1
    assert isinstance(raised.value.__cause__, ClientError)


@pytest.mark.parametrize("answer", [error(410, "GoneException"), Answer(410)])
async def test_gone_is_counted(poster: ApiGatewayPoster, server: Loopback, meter: MemoryMeter, answer: Answer) -> None:
    """410, with or without its modelled body, is `Gone`, once, and counted; it has no latency."""
    server.answer = lambda _: answer
    with pytest.raises(Gone, match=r"^c$"):
        await poster.post("c", b"frame")
    assert len(server.requests) == 1
    assert [one.metric for one in meter.taken] == [Metric.GONE_CONNECTIONS]


async def test_a_silent_gateway_is_unsettled(poster: ApiGatewayPoster, server: Loopback) -> None:
    """After a read time-out the frame may have arrived: it is not sent again here."""

    def late(_: Request) -> Answer:
        time.sleep(0.6)
        return Answer()

    server.answer = late
    with pytest.raises(Unsettled):
        await poster.post("c", b"frame")
    assert len(server.requests) == 1
