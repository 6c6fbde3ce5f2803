"""Asynchronous functions: each attempt is noted under the event's `key` before its script runs."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import boto3
import script  # type: ignore[import-not-found]  # it lies beside this one

TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def note(key: str, entry: dict[str, Any]) -> int:
    """Append to the list under `key`; returns how long it is now."""
    answer: Any = TABLE.update_item(
        Key={"key": key},
        UpdateExpression="SET notes = list_append(if_not_exists(notes, :none), :entry)",
        ExpressionAttributeValues={":none": [], ":entry": [json.dumps(entry)]},
        ReturnValues="ALL_NEW",
    )
    return len(answer["Attributes"]["notes"])


def handler(event: Any, context: Any) -> Any:
    """Note the attempt and do what the event says; with `fails`, raise in so many attempts first."""
    entry = {"request_id": context.aws_request_id, "at": time.time(), "tenant_id": context.tenant_id}
    attempt = note(event["key"], entry | {"client_context": context.client_context is not None})
    if attempt <= event.get("fails", 0):
        raise script.Refused(f"attempt {attempt}")
    return script.handler(event, context)


def destination(event: Any, context: Any) -> Any:
    """Note the record of an invocation under its event's key."""
    note(event["requestPayload"]["key"] + " record", event)
