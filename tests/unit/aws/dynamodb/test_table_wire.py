"""What the table adapter asks of DynamoDB, as it goes over the wire: no fake of a store shows how strongly it is read,
and none deletes by TTL."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from dayfly.aws.calls import POOL_THREADS, Pool, client_config
from dayfly.aws.dynamodb.items import to_item
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.functions import wiring
from dayfly.errors import Unsettled
from dayfly.store.rows import NoteRow
from dayfly.store.table import Absent, Check, Delete, Exists, Put, Span
from tests.contract import rows
from tests.unit.aws.loopback import Answer, Loopback, Request

KEY = rows.note("k").key
SPAN = Span(KEY.pk, "NOTE#a", "NOTE#z")


@pytest.fixture
def table(server: Loopback) -> Iterator[DynamoTable]:
    client = boto3.client(
        "dynamodb",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=client_config(attempts=1),
    )
    with Pool(threads=1) as pool:
        yield DynamoTable(client, "dayfly", pool)
    client.close()


def sent(server: Loopback) -> list[tuple[str, dict[str, Any]]]:
    """The operations that were asked for, with their parameters."""
    return [(one.headers["x-amz-target"].split(".")[1], json.loads(one.body)) for one in server.requests]


def answers(server: Loopback, *documents: dict[str, Any]) -> None:
    """Has the server answer so, one after the other."""
    left = iter(documents)
    server.answer = lambda _: Answer(body=json.dumps(next(left)).encode())


async def test_a_get_is_strong(table: DynamoTable, server: Loopback) -> None:
    """A row is read as it was last written; where there is none, there is none."""
    answers(server, {"Item": to_item(rows.note("k"))}, {})
    assert await table.get(KEY, NoteRow) == rows.note("k")
    assert await table.get(KEY, NoteRow) is None
    request = {"TableName": "dayfly", "Key": {"pk": {"S": KEY.pk}, "sk": {"S": KEY.sk}}, "ConsistentRead": True}
    assert sent(server) == [("GetItem", request)] * 2


async def test_a_batch_is_strong_in_every_round(table: DynamoTable, server: Loopback) -> None:
    """Several rows are read as they were last written, those that are asked for again, too."""
    left = {"dayfly": {"Keys": [{"pk": {"S": KEY.pk}, "sk": {"S": KEY.sk}}], "ConsistentRead": True}}
    answers(
        server,
        {"Responses": {"dayfly": []}, "UnprocessedKeys": left},
        {"Responses": {"dayfly": [to_item(rows.note("k"))]}, "UnprocessedKeys": {}},
    )
    assert await table.get_many([KEY]) == {KEY: rows.note("k")}
    assert [(operation, request["RequestItems"]) for operation, request in sent(server)] == [("BatchGetItem", left)] * 2


QUERY = {
    "TableName": "dayfly",
    "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
    "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
    "ExpressionAttributeValues": {":pk": {"S": KEY.pk}, ":first": {"S": "NOTE#a"}, ":last": {"S": "NOTE#z"}},
    "ConsistentRead": True,
}


@pytest.mark.parametrize("live", [False, True])
async def test_a_query_is_strong_on_every_page(table: DynamoTable, server: Loopback, *, live: bool) -> None:
    """All pages of a range are read as it was last written, in ascending order."""
    first, second = to_item(rows.note("1")), to_item(rows.note("2"))
    last = {"pk": first["pk"], "sk": first["sk"]}
    answers(server, {"Items": [first], "LastEvaluatedKey": last}, {"Items": [second]})
    found = await (table.query_live(SPAN, limit=9) if live else table.query(SPAN, NoteRow, limit=9))
    assert found == (rows.note("1"), rows.note("2"))
    query = {**QUERY, "ScanIndexForward": True}
    assert sent(server) == [
        ("Query", {**query, "Limit": 9}),
        ("Query", {**query, "Limit": 8, "ExclusiveStartKey": last}),
    ]


async def test_a_query_stops_at_its_limit(table: DynamoTable, server: Loopback) -> None:
    """Where so many rows have come, no page is asked for behind; none is asked for where none is wanted."""
    item = to_item(rows.note("1"))
    answers(server, {"Items": [item], "LastEvaluatedKey": {"pk": item["pk"], "sk": item["sk"]}})
    assert await table.query(SPAN, NoteRow, limit=1, descending=True) == (rows.note("1"),)
    assert await table.query(SPAN, NoteRow, limit=0) == ()
    assert sent(server) == [("Query", {**QUERY, "ScanIndexForward": False, "Limit": 1})]


async def test_a_range_of_one_key_is_asked_for(table: DynamoTable, server: Loopback) -> None:
    """A range whose bounds are crossed is empty without a call; one whose bounds are one key is not crossed."""
    answers(server, {"Items": [to_item(rows.note("k"))]})
    assert await table.query(Span(KEY.pk, KEY.sk, KEY.sk), NoteRow, limit=9) == (rows.note("k"),)
    assert await table.query(Span(KEY.pk, "NOTE#b", "NOTE#a"), NoteRow, limit=9) == ()
    assert len(server.requests) == 1


async def test_the_index_is_not_read_strongly(table: DynamoTable, server: Loopback) -> None:
    """DynamoDB refuses a strong read of a global index: it hints, and the rows themselves decide.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
    """
    answers(server, {"Items": [to_item(rows.lease())]})
    assert await table.due_leases("0", before=7, limit=3) == (rows.lease().key,)
    request = {
        "TableName": "dayfly",
        "IndexName": "leases",
        "KeyConditionExpression": "#shard = :shard AND #due < :before",
        "ProjectionExpression": "#pk, #sk",
        "ExpressionAttributeNames": {"#shard": "lease_shard", "#due": "due", "#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {":shard": {"S": "0"}, ":before": {"N": "7"}},
        "Limit": 3,
    }
    assert sent(server) == [("Query", request)]


async def test_a_condition_is_checked_with_the_write(table: DynamoTable, server: Loopback) -> None:
    """A write carries its condition and asks for the row that stands in its way; a token goes with its transaction."""
    server.answer = lambda _: Answer(body=b"{}")
    await table.write(Put(rows.note("k"), Absent()))
    await table.write(Delete(KEY, Exists()))
    await table.write(Check(KEY, Exists()), Put(rows.note("l")), Delete(rows.note("m").key), token="t-1")
    key = {"pk": {"S": KEY.pk}, "sk": {"S": KEY.sk}}
    common = {
        "TableName": "dayfly",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    absent = {**common, "ConditionExpression": "attribute_not_exists(#pk)"}
    exists = {**common, "ConditionExpression": "attribute_exists(#pk)"}
    items = [
        {"ConditionCheck": {**exists, "Key": key}},
        {"Put": {"TableName": "dayfly", "Item": to_item(rows.note("l"))}},
        {"Delete": {"TableName": "dayfly", "Key": {"pk": key["pk"], "sk": {"S": "NOTE#m"}}}},
    ]
    assert sent(server) == [
        ("PutItem", {**absent, "Item": to_item(rows.note("k"))}),
        ("DeleteItem", {**exists, "Key": key}),
        ("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": "t-1"}),
    ]


async def test_a_check_alone_is_a_transaction(table: DynamoTable, server: Loopback) -> None:
    """Without a token of ours botocore makes one for the call itself, so each call is another transaction."""
    server.answer = lambda _: Answer(body=b"{}")
    for _ in range(2):
        await table.write(Check(KEY, Exists()))
    (first, one), (second, two) = sent(server)
    assert (first, second) == ("TransactWriteItems", "TransactWriteItems")
    assert one["TransactItems"] == two["TransactItems"]
    assert one["ClientRequestToken"] != two["ClientRequestToken"]


@pytest.mark.parametrize(("fruitless", "found"), [(4, True), (5, False)])
async def test_a_batch_has_five_rounds(
    table: DynamoTable, server: Loopback, monkeypatch: pytest.MonkeyPatch, fruitless: int, *, found: bool
) -> None:
    """What the fifth round brings is taken; there is no sixth."""
    monkeypatch.setattr("dayfly.aws.dynamodb.table._BACKOFF_S", 0.0)
    left = {"dayfly": {"Keys": [{"pk": {"S": KEY.pk}, "sk": {"S": KEY.sk}}], "ConsistentRead": True}}
    vain = {"Responses": {}, "UnprocessedKeys": left}
    answers(server, *[vain] * fruitless, {"Responses": {"dayfly": [to_item(rows.note("k"))]}, "UnprocessedKeys": {}})
    if found:
        assert await table.get_many([KEY]) == {KEY: rows.note("k")}
    else:
        with pytest.raises(Unsettled):
            await table.get_many([KEY])
    assert len(server.requests) == 5


def throttled(_: Request) -> Answer:
    """What DynamoDB, Lambda and the management API answer when there is too much."""
    return Answer(500, b"{}", {"x-amzn-ErrorType": "InternalServerError"})


@pytest.mark.parametrize(("name", "calls"), [("dynamodb", 2), ("lambda", 2), ("apigatewaymanagementapi", 1)])
def test_clients_repeat_a_call_once_at_most(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, name: str, calls: int
) -> None:
    """botocore sends a call to the table or to Lambda twice at most, and a post once: the core repeats them itself,
    with its own bound of time."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name.upper()}", server.url)
    server.answer = throttled
    client: Any
    match name:
        case "dynamodb":
            client = wiring.dynamodb_client()
            with pytest.raises(client.exceptions.ClientError):
                client.get_item(TableName="t", Key={"pk": {"S": "p"}, "sk": {"S": "s"}})
        case "lambda":
            client = wiring.lambda_client()
            with pytest.raises(client.exceptions.ClientError):
                client.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
        case _:
            client = wiring.management_client()
            with pytest.raises(client.exceptions.ClientError):
                client.post_to_connection(ConnectionId="c", Data=b"x")
    client.close()
    assert len(server.requests) == calls


def test_clients_wait_one_second_and_five(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting may take a second, an answer five: the same for all clients, however many calls there are."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", server.url)
    for client in (wiring.dynamodb_client(), wiring.lambda_client(), wiring.management_client()):
        config: Any = client.meta.config
        assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.0, 5.0, POOL_THREADS)
        assert config.tcp_keepalive
        client.close()
