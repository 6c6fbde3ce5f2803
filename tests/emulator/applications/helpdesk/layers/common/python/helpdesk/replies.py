import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import boto3

_clients: dict[str, Any] = {}


@dataclass
class Reply:
    type: str
    body: Any


def _default(value):
    if isinstance(value, Decimal):
        return int(value)
    raise TypeError(type(value))


def reply_to(event, reply):
    """Post to the socket an event came from. Clients are kept for as long as the environment lives."""
    ctx = event["requestContext"]
    url = "https://{domainName}/{stage}".format(**ctx)
    if url not in _clients:
        _clients[url] = boto3.client("apigatewaymanagementapi", endpoint_url=url)
    _clients[url].post_to_connection(ConnectionId=ctx["connectionId"], Data=json.dumps(asdict(reply), default=_default))
