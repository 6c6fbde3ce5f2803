import os

import boto3
from helpdesk import Reply, reply_to, setting

ssm = boto3.client("ssm")
s3 = boto3.client("s3")
audit = boto3.resource("dynamodb").Table(os.environ["AUDIT_TABLE"])


def lambda_handler(event, context):
    ctx = event["requestContext"]
    who = ctx["authorizer"]
    if ctx["eventType"] == "CONNECT":
        audit.put_item(Item={"id": who["user"], "state": "online"})
        return {"statusCode": 200}
    if ctx["eventType"] == "DISCONNECT":
        audit.put_item(Item={"id": who["user"], "state": "offline", "code": ctx["disconnectStatusCode"]})
        return {"statusCode": 200}
    if ctx["routeKey"] == "whoami":
        return whoami(event, who)
    reply_to(event, Reply("help", {"unknown": event["body"], "try": ["openTicket", "listTickets", "whoami"]}))
    return {"statusCode": 200}


def whoami(event, who):
    greeting = ssm.get_parameter(Name=setting("GREETING_PARAMETER"))["Parameter"]["Value"]
    bucket = setting("ATTACHMENTS_BUCKET")
    upload = s3.generate_presigned_post(bucket, f"{who['user']}/upload")["url"] if bucket else None
    seen = {item["id"]: item["state"] for item in audit.scan()["Items"]}
    body = {"you": who, "greeting": greeting, "stage": setting("STAGE"), "upload": upload, "seen": seen}
    reply_to(event, Reply("you", body))
    return {"statusCode": 200}
