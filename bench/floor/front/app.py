"""Stands where the router stands: reads, writes one transaction, answers, starts the worker, shows the message."""

import json
import os
import secrets
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, TransactWriteItemTypeDef

_TABLE = os.environ["TABLE_NAME"]
_WORKER = os.environ["WORKER_FUNCTION"]
_dynamodb = boto3.client("dynamodb")
_lambda = boto3.client("lambda")
_gateway = boto3.client("apigatewaymanagementapi")
_NEW = "attribute_not_exists(pk)"


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """One frame `{"action": "run", "id", "user", "text"}`: `accepted`, `user_message`, `thread_changed`. With
    `hold`, the worker keeps busy for so many seconds."""
    frame = json.loads(event["body"])
    connection = event["requestContext"]["connectionId"]
    user, run = frame["user"], secrets.token_hex(13)
    partition = {"S": f"USER#{user}"}
    wanted = [{"pk": partition, "sk": {"S": f"REQ#{frame['id']}"}}, {"pk": partition, "sk": {"S": "QUOTA"}}]
    _dynamodb.batch_get_item(RequestItems={_TABLE: {"Keys": wanted, "ConsistentRead": True}})
    message = json.dumps({"type": "user_message", "run_id": run, "seq": 1, "payload": {"text": frame["text"]}})
    _dynamodb.transact_write_items(
        TransactItems=[
            _put(partition, f"LOG#{run}#000000000001", _NEW, events=message),
            _put(partition, f"REQ#{frame['id']}", _NEW, run=run),
            _put(partition, f"THREAD#{run}", _NEW, title=frame["text"], active=run),
            _put(partition, f"RUN#{run}#{run}", _NEW, text=frame["text"], state="live"),
            _put(partition, f"LEASE#{run}", _NEW, run=run),
            _put(partition, "QUOTA", None, run=run),
            _put(partition, f"LIVE#{run}#{connection}", None, connection=connection),
        ]
    )
    _post(connection, {"type": "accepted", "id": frame["id"], "run_id": run, "thread_id": run, "status": "running"})
    work = {"user": user, "run": run, **({"hold": frame["hold"]} if "hold" in frame else {})}
    _lambda.invoke(FunctionName=_WORKER, InvocationType="Event", TenantId=user, Payload=json.dumps(work).encode())[
        "Payload"
    ].read()
    for socket in _audience(partition, run):
        _gateway.post_to_connection(ConnectionId=socket, Data=message.encode())
    # The thread is new: all of the user's sockets are told, which are the same one here.
    for socket in _audience(partition, run):
        _post(socket, {"type": "thread_changed", "thread_id": run, "title": frame["text"]})
    return {"statusCode": 200}


def _audience(partition: dict[str, str], run: str) -> list[str]:
    found = _dynamodb.query(
        TableName=_TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": partition, ":sk": {"S": f"LIVE#{run}#"}},
        ConsistentRead=True,
    )
    return [item["connection"]["S"] for item in found["Items"]]


def _post(connection: str, frame: dict[str, str]) -> None:
    _gateway.post_to_connection(ConnectionId=connection, Data=json.dumps(frame).encode())


def _put(partition: dict[str, str], sk: str, condition: str | None, **fields: str) -> "TransactWriteItemTypeDef":
    item = {"pk": partition, "sk": {"S": sk}, **{name: {"S": value} for name, value in fields.items()}}
    put: PutTypeDef = {"TableName": _TABLE, "Item": item}
    if condition is not None:
        put["ConditionExpression"] = condition
    return {"Put": put}
