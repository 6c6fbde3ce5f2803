"""The table and the queues, for tests that reach nothing but Lambda."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)
DYNAMODB = boto3.client("dynamodb", config=CONFIG)
PATIENT = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 5, "mode": "standard"}))
SQS = boto3.client("sqs")
TABLE = os.environ["TABLE"]


def notes(key: str) -> Any:
    """The notes under a key, oldest first."""
    item = DYNAMODB.get_item(TableName=TABLE, Key={"key": {"S": key}}, ConsistentRead=True).get("Item")
    return [json.loads(each["S"]) for each in item["notes"]["L"]] if item else []


def receive(queue: str) -> Any:
    """The messages that wait in a queue, which they leave."""
    url = os.environ[queue]
    found = SQS.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
    ).get("Messages", [])
    for message in found:
        SQS.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [
        {"body": json.loads(message["Body"]), "attributes": message.get("MessageAttributes", {})} for message in found
    ]


def call(operation: str, arguments: Any, *, patient: bool = False) -> Any:
    """One request to DynamoDB; the error's code if it is refused. `$TABLE` stands for the table."""
    client = PATIENT if patient else DYNAMODB
    try:
        answer = getattr(client, operation)(**json.loads(json.dumps(arguments).replace("$TABLE", TABLE)))
    except ClientError as error:
        return {"refused": error.response["Error"]["Code"]}
    answer.pop("ResponseMetadata", None)
    return answer


def add(key: str, times: int) -> Any:
    """Add one to a number so many times; how many were acknowledged."""
    request = {
        "Key": {"key": {"S": key}},
        "UpdateExpression": "ADD amount :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return sum("refused" not in call("update_item", {"TableName": TABLE, **request}) for _ in range(times))


def pairs(key: str, times: int) -> Any:
    """Transactions that add one to two items, every other one bound to fail; how many were acknowledged."""
    done = 0
    for number in range(times):
        updates = [
            {
                "Update": {
                    "TableName": TABLE,
                    "Key": {"key": {"S": f"{key} {side}"}},
                    "UpdateExpression": "ADD amount :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
            for side in ("left", "right")
        ]
        check = {"TableName": TABLE, "Key": {"key": {"S": f"{key} none"}}}
        condition = "attribute_exists(#k)" if number % 2 else "attribute_not_exists(#k)"
        check |= {"ConditionExpression": condition, "ExpressionAttributeNames": {"#k": "key"}}
        done += "refused" not in call("transact_write_items", {"TransactItems": [*updates, {"ConditionCheck": check}]})
    return done


def handler(event: Any, context: Any) -> Any:
    """`{"notes": key}`, `{"receive": queue}`, or one of the others with its arguments."""
    match event:
        case {"notes": key}:
            return notes(key)
        case {"receive": queue}:
            return receive(queue)
        case {"call": operation, "arguments": arguments}:
            return call(operation, arguments, patient=event.get("patient", False))
        case {"add": key, "times": times}:
            return add(key, times)
        case {"pairs": key, "times": times}:
            return pairs(key, times)
        case _:
            raise ValueError(event)
