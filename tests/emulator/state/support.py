"""What the tests of the state share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from emulator.state import State, StateOptions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

LOCAL_JAR: Final = os.environ.get("DYNAMODB_LOCAL_JAR", "")
"""The jar of DynamoDB Local, its libraries beside it; empty if this machine has none."""

BACKENDS: Final = ("moto", *(("dynamodb-local",) if LOCAL_JAR else ()))

PROPERTIES = {
    "TableName": "table", "BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": "false",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"},
                             {"AttributeName": "sk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
}  # fmt: skip
TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": PROPERTIES}
"""A template's table."""

TABLE_ALONE = json.dumps({"Resources": {"Table": TABLE}})


def options(backend: str, *, data: Path | None = None) -> StateOptions:
    """The state's options for one of `BACKENDS`."""
    return StateOptions(dynamodb_jar=Path(LOCAL_JAR) if backend == "dynamodb-local" else None, data=data)


def client_of(state: State | str) -> DynamoDBClient:
    """A client of the front, or of an address; it never repeats a request."""
    return boto3.client(
        "dynamodb",
        endpoint_url=state if isinstance(state, str) else state.dynamodb_url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
    )


def put(pk: str, *, value: str = "v", new: bool = False) -> TransactWriteItemTypeDef:
    """A put of a transaction."""
    item = {"pk": {"S": pk}, "sk": {"S": "1"}, "v": {"S": value}}
    if new:
        return {"Put": {"TableName": "table", "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}  # fmt: skip
    return {"Put": {"TableName": "table", "Item": item}}


def value_of(client: DynamoDBClient, pk: str) -> str | None:
    """The value of an item, None if it is not there."""
    found = client.get_item(TableName="table", Key={"pk": {"S": pk}, "sk": {"S": "1"}}, ConsistentRead=True)
    return found["Item"]["v"]["S"] if "Item" in found else None
