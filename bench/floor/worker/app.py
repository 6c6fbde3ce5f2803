"""Stands where the engine stands: reads the run and the audience, writes its first record, posts it."""

import json
import os
import time
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_TABLE = os.environ["TABLE_NAME"]
_dynamodb = boto3.client("dynamodb")
_gateway = boto3.client("apigatewaymanagementapi")


def handler(event: dict[str, str], _context: object) -> None:
    """One run `{"user", "run"}`: `agent_started`, at `seq` (2). With `hold`, it keeps busy for so many seconds then."""
    run, seq = event["run"], int(event.get("seq", "2"))
    partition = {"S": f"USER#{event['user']}"}
    names = (f"RUN#{run}#{run}", f"THREAD#{run}", f"LEASE#{run}")
    keys = [{"pk": partition, "sk": {"S": name}} for name in names]
    _dynamodb.batch_get_item(RequestItems={_TABLE: {"Keys": keys, "ConsistentRead": True}})
    found = _dynamodb.query(
        TableName=_TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": partition, ":sk": {"S": f"LIVE#{run}#"}},
        ConsistentRead=True,
    )
    said = {"message": "It has started."}
    started = json.dumps({"type": "agent_started", "run_id": run, "seq": seq, "payload": said})
    log = {"pk": partition, "sk": {"S": f"LOG#{run}#{seq:012d}"}, "events": {"S": started}}
    lease = {"pk": partition, "sk": {"S": f"LEASE#{run}"}, "run": {"S": run}, "state": {"S": "held"}}
    _dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": _TABLE, "Item": log, "ConditionExpression": "attribute_not_exists(pk)"}},
            _check(keys[0]),
            _check(keys[1]),
            {"Put": {"TableName": _TABLE, "Item": lease, "ConditionExpression": "attribute_exists(pk)"}},
        ]
    )
    for item in found["Items"]:
        _gateway.post_to_connection(ConnectionId=item["connection"]["S"], Data=started.encode())
    time.sleep(float(event.get("hold", 0)))


def _check(key: dict[str, Any]) -> "TransactWriteItemTypeDef":
    return {"ConditionCheck": {"TableName": _TABLE, "Key": key, "ConditionExpression": "attribute_exists(pk)"}}
