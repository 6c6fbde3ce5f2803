import json
import logging
import os
import time

import boto3
from botocore.exceptions import ClientError

logger = logging.getLogger()
logger.setLevel(logging.INFO)

dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["CONNECTIONS_TABLE"])
lambda_client = boto3.client("lambda")


def management_client(event):
    context = event["requestContext"]
    return boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{context['domainName']}/{context['stage']}")


def connect(event, context):
    params = event.get("queryStringParameters") or {}
    name = params.get("name")
    if not name:
        return {"statusCode": 400, "body": "Who are you?"}
    table.put_item(
        Item={
            "connectionId": event["requestContext"]["connectionId"],
            "name": name,
            "ttl": int(time.time()) + 3 * 3600,
        }
    )
    return {"statusCode": 200, "body": "Connected."}


def disconnect(event, context):
    table.delete_item(Key={"connectionId": event["requestContext"]["connectionId"]})
    return {"statusCode": 200, "body": "Disconnected."}


def send_message(event, context):
    if "announcement" in event:
        # The asynchronous half of `announce`.
        return announce(event)

    body = json.loads(event["body"])
    sender = table.get_item(Key={"connectionId": event["requestContext"]["connectionId"]}).get("Item", {})
    message = {"from": sender.get("name", "somebody"), "text": body["data"]}

    if body["action"] == "announce":
        payload = {
            "announcement": message,
            "requestContext": {key: event["requestContext"][key] for key in ("domainName", "stage")},
        }
        lambda_client.invoke(
            FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps(payload).encode()
        )
        return {"statusCode": 202}

    sent, gone = broadcast(management_client(event), message)
    logger.info("sent to %d, %d were gone", sent, gone)
    return {"statusCode": 200, "body": "Data sent."}


def announce(event):
    if event["announcement"]["text"] == "":
        raise ValueError("Nothing to announce")
    broadcast(management_client(event), {**event["announcement"], "announcement": True})


def broadcast(client, message):
    sent = gone = 0
    response = table.scan(ProjectionExpression="connectionId")
    items = response["Items"]
    while "LastEvaluatedKey" in response:
        response = table.scan(ProjectionExpression="connectionId", ExclusiveStartKey=response["LastEvaluatedKey"])
        items.extend(response["Items"])
    for item in items:
        connection_id = item["connectionId"]
        try:
            client.post_to_connection(ConnectionId=connection_id, Data=json.dumps(message).encode("utf-8"))
            sent += 1
        except ClientError as e:
            if e.response["ResponseMetadata"]["HTTPStatusCode"] != 410:
                raise
            logger.info("Found stale connection, deleting %s", connection_id)
            table.delete_item(Key={"connectionId": connection_id})
            gone += 1
    return sent, gone


def who(event, context):
    client = management_client(event)
    names = sorted(item["name"] for item in table.scan()["Items"])
    failed = [
        json.loads(message["Body"])["responsePayload"]["errorMessage"]
        for message in boto3.client("sqs")
        .receive_message(QueueUrl=os.environ["FAILED_QUEUE_URL"], MaxNumberOfMessages=10, VisibilityTimeout=0)
        .get("Messages", [])
    ]
    client.post_to_connection(
        ConnectionId=event["requestContext"]["connectionId"], Data=json.dumps({"names": names, "failed": failed})
    )
    return {"statusCode": 200}
