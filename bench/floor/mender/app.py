"""Stands where recovery stands: told that a worker was lost, it says so to who watches, and starts another."""

import json
import os
from typing import Any

import boto3

_TABLE = os.environ["TABLE_NAME"]
_dynamodb = boto3.client("dynamodb")
_lambda = boto3.client("lambda")
_gateway = boto3.client("apigatewaymanagementapi")


def handler(event: dict[str, Any], _context: object) -> None:
    """One notice of a failed invocation of the worker: `agent_resumed`, and the run once more, without `hold`."""
    lost = event["requestPayload"]
    found = _dynamodb.query(
        TableName=_TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"USER#{lost['user']}"}, ":sk": {"S": f"LIVE#{lost['run']}#"}},
        ConsistentRead=True,
    )
    resumed = json.dumps({"type": "agent_resumed", "run_id": lost["run"], "seq": 3, "payload": {"attempt": 2}}).encode()
    for item in found["Items"]:
        _gateway.post_to_connection(ConnectionId=item["connection"]["S"], Data=resumed)
    again = json.dumps({"user": lost["user"], "run": lost["run"], "seq": "4"}).encode()
    # The notice names the function that failed, with its qualifier.
    worker = event["requestContext"]["functionArn"]
    _lambda.invoke(FunctionName=worker, InvocationType="Event", TenantId=lost["user"], Payload=again)["Payload"].read()
