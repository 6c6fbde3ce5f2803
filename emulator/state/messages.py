"""Messages to queues and topics, as Lambda sends them to a destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import boto3


class _Attribute(TypedDict):
    DataType: str
    StringValue: str


def send(arn: str, body: str, attributes: Mapping[str, str | int], *, url: str) -> None:
    """Send to the SQS queue or SNS topic with an ARN; `url` is where all services are."""
    service, region, account, name = arn.split(":", 5)[2:]
    session = boto3.Session(aws_access_key_id="emulator", aws_secret_access_key="emulator", region_name=region)
    typed = {key: _attribute(value) for key, value in attributes.items()}
    if service == "sns":
        topics = session.client("sns", endpoint_url=url)
        topics.publish(TopicArn=arn, Message=body, MessageAttributes=typed)
        topics.close()
    else:
        queues = session.client("sqs", endpoint_url=url)
        queues.send_message(QueueUrl=f"{url}/{account}/{name}", MessageBody=body, MessageAttributes=typed)
        queues.close()


def _attribute(value: str | int) -> _Attribute:
    return {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
