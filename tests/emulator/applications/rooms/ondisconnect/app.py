import json
import os

import boto3

ddb = boto3.client("dynamodb")


def handler(event, context):
    print(json.dumps(event))
    ddb.delete_item(
        TableName=os.environ["TABLE_NAME"], Key={"connectionId": {"S": event["requestContext"]["connectionId"]}}
    )
    return {"statusCode": 200, "body": "Disconnected."}
