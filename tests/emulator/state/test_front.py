"""DynamoDB as functions see it: moto or DynamoDB Local behind the front, driven by real botocore."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from emulator.processes import Reaper
from emulator.state import State
from tests.emulator.state.support import BACKENDS, TABLE, client_of, options, put, value_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATE = json.dumps({
    "Resources": {
        "Table": TABLE,
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "VisibilityTimeout": 40}},
        "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/p", "Type": "String", "Value": "v"}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "s", "SecretString": "x"}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "n"}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b-emulator"}},
    }
})  # fmt: skip

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BACKENDS)
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    """One state for all tests here, for each store of the tables."""
    with Reaper() as reaper:
        state = State(TEMPLATE, reaper=reaper, options=options(request.param))
        try:
            await state.start()
            yield state
        finally:
            await state.stop()


@pytest.fixture(scope="module")
def client(state: State) -> Iterator[DynamoDBClient]:
    """A client of the front; used from threads, as the front runs in this process."""
    client = client_of(state)
    yield client
    client.close()


async def test_the_resources_of_the_template_exist(state: State, client: DynamoDBClient) -> None:
    """Table with time to live, queue, parameter, secret, topic and bucket are there."""
    keys = {"endpoint_url": state.aws_url, "region_name": "us-east-1"}
    keys |= {"aws_access_key_id": "x", "aws_secret_access_key": "x"}

    def look() -> None:
        assert client.describe_time_to_live(TableName="table")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
        session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
        ssm = session.client("ssm", endpoint_url=state.aws_url)
        assert ssm.get_parameter(Name="/p")["Parameter"].get("Value") == "v"
        secrets = session.client("secretsmanager", endpoint_url=state.aws_url)
        arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"
        assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "x"
        ssm.close()
        secrets.close()

    await asyncio.to_thread(look)
    await state.send("arn:aws:sqs:us-east-1:123456789012:q", b'{"a": 1}', {})


async def test_a_failed_condition_returns_the_old_item(client: DynamoDBClient) -> None:
    """Put, update and delete with ALL_OLD give the present item with ConditionalCheckFailedException."""

    def look() -> None:
        client.put_item(TableName="table", Item={"pk": {"S": "old"}, "sk": {"S": "1"}, "v": {"S": "first"}})
        with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
            client.put_item(
                TableName="table",
                Item={"pk": {"S": "old"}, "sk": {"S": "1"}},
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        assert failed.value.response.get("Item") == {"pk": {"S": "old"}, "sk": {"S": "1"}, "v": {"S": "first"}}

    await asyncio.to_thread(look)


async def test_a_cancelled_transaction_names_each_reason_with_the_old_item(client: DynamoDBClient) -> None:
    """CancellationReasons stand in the order of the items; the failed one has the item that was there."""

    def look() -> None:
        client.transact_write_items(TransactItems=[put("reason", value="first")])
        with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
            client.transact_write_items(TransactItems=[put("other"), put("reason", new=True)])
        reasons = cancelled.value.response["CancellationReasons"]
        assert reasons[0] == {"Code": "None"}
        assert reasons[1]["Code"] == "ConditionalCheckFailed"
        assert reasons[1]["Item"] == {"pk": {"S": "reason"}, "sk": {"S": "1"}, "v": {"S": "first"}}
        assert value_of(client, "other") is None

    await asyncio.to_thread(look)


async def test_a_cancelled_transaction_leaves_every_item_as_it_was(client: DynamoDBClient) -> None:
    """New items are gone, replaced, updated and deleted ones are back."""

    def look() -> None:
        for pk in ("replaced", "updated", "deleted"):
            client.transact_write_items(TransactItems=[put(pk, value="before")])
        key = {"sk": {"S": "1"}}
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(TransactItems=[
                put("created"),
                put("replaced", value="after"),
                {"Update": {"TableName": "table", "Key": {"pk": {"S": "updated"}, **key},
                            "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "after"}}}},
                {"Delete": {"TableName": "table", "Key": {"pk": {"S": "deleted"}, **key}}},
                {"ConditionCheck": {"TableName": "table", "Key": {"pk": {"S": "nobody"}, **key},
                                    "ConditionExpression": "attribute_exists(pk)"}},
            ])  # fmt: skip
        assert value_of(client, "created") is None
        assert {value_of(client, pk) for pk in ("replaced", "updated", "deleted")} == {"before"}

    await asyncio.to_thread(look)


async def test_a_token_makes_a_transaction_happen_once(client: DynamoDBClient) -> None:
    """The same request again with its token succeeds without a second effect."""

    def look() -> None:
        client.transact_write_items(TransactItems=[put("once", value="a", new=True)], ClientRequestToken="token-1")
        client.transact_write_items(TransactItems=[put("once", value="a", new=True)], ClientRequestToken="token-1")
        assert value_of(client, "once") == "a"

    await asyncio.to_thread(look)


async def test_a_token_with_another_request_is_a_mismatch(client: DynamoDBClient) -> None:
    """The token of one request with another one's items is IdempotentParameterMismatchException."""

    def look() -> None:
        client.transact_write_items(TransactItems=[put("x1")], ClientRequestToken="token-2")
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            client.transact_write_items(TransactItems=[put("x2")], ClientRequestToken="token-2")
        assert value_of(client, "x2") is None

    await asyncio.to_thread(look)


async def test_a_cancelled_transaction_does_not_use_its_token_up(client: DynamoDBClient) -> None:
    """After its obstacle is gone the same request with the same token takes effect."""

    def look() -> None:
        client.transact_write_items(TransactItems=[put("later", value="in the way")])
        for _ in range(2):
            with pytest.raises(client.exceptions.TransactionCanceledException):
                client.transact_write_items(TransactItems=[put("later", new=True)], ClientRequestToken="token-3")
        client.delete_item(TableName="table", Key={"pk": {"S": "later"}, "sk": {"S": "1"}})
        client.transact_write_items(TransactItems=[put("later", new=True)], ClientRequestToken="token-3")
        assert value_of(client, "later") == "v"

    await asyncio.to_thread(look)


async def test_no_acknowledged_write_is_lost_beside_failing_transactions(client: DynamoDBClient) -> None:
    """Writers beside transactions that fail all the time: every write that was acknowledged is there."""

    def write(number: int) -> None:
        client.put_item(TableName="table", Item={"pk": {"S": f"kept-{number}"}, "sk": {"S": "1"}, "v": {"S": "v"}})

    def fail(number: int) -> None:
        with pytest.raises(ClientError):
            client.transact_write_items(TransactItems=[put(f"never-{number}"), put("wall", new=True)])

    def look() -> None:
        client.transact_write_items(TransactItems=[put("wall")])
        with ThreadPoolExecutor(16) as pool:
            done = [pool.submit(job, number) for number in range(100) for job in (write, fail)]
            for each in done:
                each.result()
        assert [number for number in range(100) if value_of(client, f"kept-{number}") is None] == []
        assert [number for number in range(100) if value_of(client, f"never-{number}") is not None] == []

    await asyncio.to_thread(look)


async def test_of_two_conditional_writers_exactly_one_wins(client: DynamoDBClient) -> None:
    """Many put_item with attribute_not_exists at one key: one succeeds."""

    def race(number: int) -> bool:
        try:
            client.put_item(
                TableName="table",
                Item={"pk": {"S": "race"}, "sk": {"S": "1"}, "v": {"S": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def look() -> None:
        with ThreadPoolExecutor(16) as pool:
            assert sum(pool.map(race, range(50))) == 1

    await asyncio.to_thread(look)


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("pk = :p", None, range(12)),
        ("pk = :p AND begins_with(sk, :s)", "00", range(10)),
        ("pk = :p AND sk <= :s", "003", range(4)),
        ("pk = :p AND sk > :s", "008", range(9, 12)),
        ("pk = :p AND sk BETWEEN :s AND :t", "002", range(2, 6)),
        ("pk = :p AND sk = :s", "007", range(7, 8)),
        ("pk = :p AND begins_with(sk, :s)", "9", range(0)),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
async def test_a_query_pages_through_the_rows_that_fit(
    client: DynamoDBClient, condition: str, value: str | None, expected: range, forward: bool
) -> None:
    """Every condition on the sort key, in both directions, three rows a page: the rows in order, none twice."""

    def look() -> None:
        for number in range(12):
            client.put_item(TableName="table", Item={"pk": {"S": "rows"}, "sk": {"S": f"{number:03}"}})
        values = {":p": {"S": "rows"}}
        if value is not None:
            values[":s"] = {"S": value}
        if ":t" in condition:
            values[":t"] = {"S": "005"}
        pages = client.get_paginator("query").paginate(
            TableName="table",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=forward,
            ConsistentRead=True,
            PaginationConfig={"PageSize": 3},
        )
        found = [int(item["sk"]["S"]) for page in pages for item in page["Items"]]
        assert found == (list(expected) if forward else list(reversed(expected)))

    await asyncio.to_thread(look)


@pytest.mark.parametrize("reset", [True, False])
async def test_a_client_that_goes_away_halfway_leaves_no_trace(
    state: State, client: DynamoDBClient, caplog: pytest.LogCaptureFixture, reset: bool
) -> None:
    """A killed function's half request, its socket reset or closed, logs nothing; the next request is served."""
    address = urlsplit(state.dynamodb_url)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 1000\r\n\r\n"

    def look() -> None:
        with socket.create_connection((address.hostname or "", address.port or 0)) as dying:
            dying.sendall(head + b"{")
            if reset:
                # Closing with a linger time of zero resets: https://man7.org/linux/man-pages/man7/socket.7.html
                dying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.transact_write_items(TransactItems=[put("after")])
        assert value_of(client, "after") == "v"

    await asyncio.to_thread(look)
    assert caplog.records == []
