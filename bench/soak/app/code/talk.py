"""Whatever comes in goes out again: to the sender, to the connection it names, or by way of another function."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

connections = boto3.client("apigatewaymanagementapi")
functions = boto3.client("lambda")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """`{"tag", "to"?, "later"?, ...}`; `who` asks for the sender's own connection id."""
    sender = event["requestContext"]["connectionId"]
    said = json.loads(event["body"])
    if said.get("action") == "who":
        said["id"] = sender
    if said.get("later"):
        order = json.dumps({"to": sender, "said": said})
        functions.invoke(FunctionName=os.environ["LATER"], InvocationType="Event", Payload=order)
    else:
        connections.post_to_connection(ConnectionId=said.get("to", sender), Data=json.dumps(said))
    return {"statusCode": 200}
