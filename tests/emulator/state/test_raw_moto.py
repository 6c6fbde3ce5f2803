"""What moto does without the front, and no longer does behind it: the front's reason to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from emulator.state.front import DynamoDbFront
from emulator.state.tokens import Tokens
from tests.emulator.state.support import client_of, put, value_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ROUNDS = 100
_WRITES = 60


@pytest.fixture
def moto() -> Iterator[str]:
    """The address of moto as it is installed, with an empty table."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = client_of(f"http://{host}:{port}")
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield f"http://{host}:{port}"
        client.delete_table(TableName="table")
        client.close()
    finally:
        server.stop()


@pytest_asyncio.fixture
async def front(moto: str) -> AsyncIterator[str]:
    """The address of the front before that same moto."""
    front = DynamoDbFront(moto, tokens=Tokens(600))
    await front.start()
    yield front.url
    await front.stop()


def lost_writes(client: DynamoDBClient, name: str) -> int:
    """Write beside transactions that fail; how many of the writes that were acknowledged are gone."""

    def write(number: int) -> None:
        client.put_item(TableName="table", Item={"pk": {"S": f"{name}-{number}"}, "sk": {"S": "1"}, "v": {"S": "v"}})

    def fail(number: int) -> None:
        with pytest.raises(ClientError):
            client.transact_write_items(TransactItems=[put(f"{name}-never-{number}"), put("wall", new=True)])

    client.transact_write_items(TransactItems=[put("wall")])
    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(job, number) for number in range(_WRITES) for job in (write, fail)]:
            job.result()
    return sum(value_of(client, f"{name}-{number}") is None for number in range(_WRITES))


async def test_moto_alone_loses_acknowledged_writes(moto: str) -> None:
    """A failing transaction restores a copy of the table: what others wrote meanwhile and was acknowledged is gone."""
    client = client_of(moto)

    def some_round_loses() -> bool:
        return any(lost_writes(client, str(number)) > 0 for number in range(_ROUNDS))

    assert await asyncio.to_thread(some_round_loses)
    client.close()


async def test_moto_behind_the_front_loses_none(front: str) -> None:
    """The same requests to the same moto, through the front: all that was acknowledged is there."""
    client = client_of(front)
    assert [await asyncio.to_thread(lost_writes, client, str(number)) for number in range(3)] == [0, 0, 0]
    client.close()


async def test_only_the_front_honours_a_token(moto: str, front: str) -> None:
    """The same transaction twice under one token: moto refuses the second for its condition, the front does not."""

    def repeat(url: str, token: str) -> bool:
        client = client_of(url)
        try:
            for _ in range(2):
                client.transact_write_items(TransactItems=[put(token, new=True)], ClientRequestToken=token)
        except client.exceptions.TransactionCanceledException:
            return False
        finally:
            client.close()
        return True

    assert [await asyncio.to_thread(repeat, url, token) for url, token in ((moto, "raw"), (front, "fronted"))] == [
        False,
        True,
    ]
