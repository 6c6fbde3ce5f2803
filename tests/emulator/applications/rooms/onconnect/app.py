import os

import boto3

ddb = boto3.client("dynamodb")


def handler(event, context):
    connection_id = event["requestContext"]["connectionId"]
    params = event.get("queryStringParameters") or {}
    if event["headers"].get("Origin") == "https://evil.example":
        return {"statusCode": 403, "body": "Not from there"}
    ddb.put_item(
        TableName=os.environ["TABLE_NAME"],
        Item={
            "connectionId": {"S": connection_id},
            "room": {"S": params.get("room", "lobby")},
        },
    )
    return {"statusCode": 200, "body": "Connected."}
