"""The least that a function like ours loads: boto3 with one client, Powertools' logger and metrics."""

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

_log = Logger(service="bare")
_metrics = Metrics(namespace="Bare", service="bare")
_table = boto3.client("dynamodb")


def handler(event: dict[str, str], context: LambdaContext) -> dict[str, int]:
    """Answers."""
    _log.info("asked", extra={"keys": len(event), "request": context.aws_request_id})
    return {"statusCode": 200}
