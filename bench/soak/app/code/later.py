"""Invoked asynchronously: hands on what it is given."""

from __future__ import annotations

import json
from typing import Any

import boto3

connections = boto3.client("apigatewaymanagementapi")


def handler(event: dict[str, Any], _context: object) -> None:
    """`{"to", "said"}`."""
    connections.post_to_connection(ConnectionId=event["to"], Data=json.dumps(event["said"]))
