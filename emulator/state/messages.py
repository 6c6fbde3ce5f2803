"""Messages to queues and topics, as Lambda sends them to a destination."""

from __future__ import annotations

import boto3


def send(arn: str, body: str, *, url: str) -> None:
    """Send to the SQS queue or SNS topic with an ARN; `url` is where all services are."""
    service, region, account, name = arn.split(":", 5)[2:]
    session = boto3.Session(aws_access_key_id="emulator", aws_secret_access_key="emulator", region_name=region)
    if service == "sns":
        topics = session.client("sns", endpoint_url=url)
        topics.publish(TopicArn=arn, Message=body)
        topics.close()
    else:
        queues = session.client("sqs", endpoint_url=url)
        queues.send_message(QueueUrl=f"{url}/{account}/{name}", MessageBody=body)
        queues.close()
