"""Posts every message back to its sender. The same file runs on the emulator and on each peer.

The endpoint of `@connections` comes from AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, which boto3 reads by itself.
"""

from __future__ import annotations

from typing import Any

import boto3

connections = boto3.client("apigatewaymanagementapi")


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """The one function of all three routes."""
    about = event["requestContext"]
    if about["eventType"] == "MESSAGE":
        connections.post_to_connection(ConnectionId=about["connectionId"], Data=event["body"].encode())
    return {"statusCode": 200}
