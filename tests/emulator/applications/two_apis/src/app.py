import json
import os

import boto3


def handler(event, context):
    ctx = event["requestContext"]
    if ctx["eventType"] == "MESSAGE":
        client = boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{ctx['domainName']}/{ctx['stage']}")
        answer = {"api": ctx["apiId"], "stage": ctx["stage"], "domain": ctx["domainName"], "id": ctx["connectionId"]}
        client.post_to_connection(ConnectionId=ctx["connectionId"], Data=json.dumps(answer))
    return {"statusCode": 200}


def speak(event, context):
    client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ[event["to"]])
    try:
        client.post_to_connection(ConnectionId=event["id"], Data=json.dumps({"spoken": event["to"]}))
    except client.exceptions.GoneException:
        return {"gone": True, "socket": os.environ["SOCKET"]}
    return {"gone": False}
