"""What the table adapter asks of DynamoDB, as it goes over the wire: no fake of a store shows how strongly it is read,
and none deletes by TTL."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from dayfly.aws.calls import Pool, client_config
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
    """A row is read as it was last written."""
    answers(server, {"Item": to_item(rows.note("k"))})
    assert await table.get(KEY, NoteRow) == rows.note("k")
    ((operation, request),) = sent(server)
    assert (operation, request["ConsistentRead"]) == ("GetItem", True)


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


@pytest.mark.parametrize("live", [False, True])
async def test_a_query_is_strong_on_every_page(table: DynamoTable, server: Loopback, *, live: bool) -> None:
    """All pages of a range are read as it was last written."""
    first, second = to_item(rows.note("1")), to_item(rows.note("2"))
    answers(server, {"Items": [first], "LastEvaluatedKey": {"pk": first["pk"], "sk": first["sk"]}}, {"Items": [second]})
    found = await (table.query_live(SPAN, limit=9) if live else table.query(SPAN, NoteRow, limit=9))
    assert found == (rows.note("1"), rows.note("2"))
    assert [(operation, request["ConsistentRead"]) for operation, request in sent(server)] == [("Query", True)] * 2
    assert [request["Limit"] for _, request in sent(server)] == [9, 8]
    assert [request.get("ExclusiveStartKey") for _, request in sent(server)] == [
        None,
        {"pk": first["pk"], "sk": first["sk"]},
    ]


async def test_the_index_is_not_read_strongly(table: DynamoTable, server: Loopback) -> None:
    """DynamoDB refuses a strong read of a global index: it hints, and the rows themselves decide.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
    """
    answers(server, {"Items": [to_item(rows.lease())]})
    assert await table.due_leases("0", before=7, limit=3) == (rows.lease().key,)
    ((operation, request),) = sent(server)
    assert (operation, request["IndexName"], request["Limit"]) == ("Query", "leases", 3)
    assert "ConsistentRead" not in request


async def test_a_condition_is_checked_with_the_write(table: DynamoTable, server: Loopback) -> None:
    """A write carries its condition and asks for the row that stands in its way; a token goes with its transaction."""
    server.answer = lambda _: Answer(body=b"{}")
    await table.write(Put(rows.note("k"), Absent()))
    await table.write(Delete(KEY, Exists()))
    await table.write(Check(KEY, Exists()), Put(rows.note("l")), token="t-1")
    (put, one), (delete, two), (transaction, three) = sent(server)
    assert (put, delete, transaction) == ("PutItem", "DeleteItem", "TransactWriteItems")
    for request, says in ((one, "attribute_not_exists"), (two, "attribute_exists")):
        assert request["ConditionExpression"] == f"{says}(#pk)"
        assert request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert three["ClientRequestToken"] == "t-1"
    check, free = three["TransactItems"]
    assert check["ConditionCheck"]["ConditionExpression"] == "attribute_exists(#pk)"
    assert check["ConditionCheck"]["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert free == {"Put": {"TableName": "dayfly", "Item": to_item(rows.note("l"))}}


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
