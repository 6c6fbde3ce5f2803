"""The contract of the `Poster` port, over the fake, and the AWS adapter with a server that answers as AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import boto3
import pytest

from dayfly.aws.calls import Pool, client_config
from dayfly.aws.poster import ApiGatewayPoster
from dayfly.clock import SystemClock
from dayfly.delivery.poster import Poster
from dayfly.errors import Gone, PostRefused, Unsettled
from tests.fakes.ports import MemoryMeter, MemoryPoster
from tests.unit.aws.loopback import Answer, Loopback, Request, serve

CONNECTION = "L0SM9cOFvHcCIhw="


@dataclass(frozen=True)
class Gateway:
    """A poster, and the ways to set what meets it and to see what arrived."""

    poster: Poster
    frames: dict[str, list[bytes]]
    gone: set[str]
    refused: set[str]


@dataclass
class _Played:
    frames: dict[str, list[bytes]]
    gone: set[str]
    refused: set[str]

    def __call__(self, request: Request) -> Answer:
        connection = unquote(request.path.rsplit("/", 1)[1])
        if connection in self.gone:
            return Answer(410, headers={"x-amzn-ErrorType": "GoneException"})
        if connection in self.refused:
            return Answer(403, b'{"message": "Forbidden"}', {"x-amzn-ErrorType": "ForbiddenException"})
        self.frames.setdefault(connection, []).append(request.body)
        return Answer()


def _memory() -> Gateway:
    poster = MemoryPoster()

    class Refused(set[str]):
        def add(self, connection: str) -> None:
            poster.refuse[connection] = PostRefused("ForbiddenException")

    return Gateway(poster, poster.frames, poster.gone, Refused())


def _aws(server: Loopback) -> Iterator[Gateway]:
    played = _Played({}, set(), set())
    server.answer = played
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=f"{server.url}/live",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=client_config(attempts=1),
    )
    with Pool() as pool:
        poster = ApiGatewayPoster(client, pool, clock=SystemClock(), meter=MemoryMeter())
        yield Gateway(poster, played.frames, played.gone, played.refused)
    client.close()


@pytest.fixture(params=["memory", "aws"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    if request.param == "memory":
        yield _memory()
        return
    with serve() as server:
        yield from _aws(server)


async def test_a_frame_arrives_as_it_was(gateway: Gateway) -> None:
    """Frames come to their own connection, byte for byte, in the order of their posts."""
    frames = ['{"text": "Grüße 世界 🚀"}'.encode(), b"{}", b"x" * 32_000]
    for frame in frames:
        await gateway.poster.post(CONNECTION, frame)
    await gateway.poster.post("other", b"o")
    assert gateway.frames[CONNECTION] == frames
    assert gateway.frames["other"] == [b"o"]


async def test_a_connection_that_left_is_gone(gateway: Gateway) -> None:
    """Posting to a closed connection raises `Gone`; others go on."""
    gateway.gone.add(CONNECTION)
    with pytest.raises(Gone):
        await gateway.poster.post(CONNECTION, b"x")
    await gateway.poster.post("other", b"o")
    assert CONNECTION not in {name for name, frames in gateway.frames.items() if frames}


async def test_a_refusal_is_neither_gone_nor_unsettled(gateway: Gateway) -> None:
    """What trying again will not mend is told apart from a viewer that left and from an unknown outcome."""
    gateway.refused.add(CONNECTION)
    with pytest.raises(PostRefused) as refused:
        await gateway.poster.post(CONNECTION, b"x")
    assert not isinstance(refused.value, (Gone, Unsettled))
