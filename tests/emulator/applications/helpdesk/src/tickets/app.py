import json
import time
import uuid

import boto3
from boto3.dynamodb.conditions import Key
from helpdesk import Reply, reply_to, setting

table = boto3.resource("dynamodb").Table(setting("TICKETS_TABLE"))


def lambda_handler(event, context):
    handler = {"openTicket": open_ticket, "listTickets": list_tickets}[event["requestContext"]["routeKey"]]
    who = event["requestContext"]["authorizer"]
    reply_to(event, handler(who, json.loads(event["body"])))
    return {"statusCode": 200}


def open_ticket(who, body):
    mine = table.query(KeyConditionExpression=Key("pk").eq(who["user"]), Select="COUNT")["Count"]
    if mine >= setting("MAX_TICKETS", int):
        return Reply("error", "too many tickets")
    ticket = {
        "pk": who["user"],
        "sk": uuid.uuid4().hex,
        "status": "open",
        "opened": time.time_ns(),
        "subject": body["subject"],
    }
    table.put_item(Item=ticket, ConditionExpression="attribute_not_exists(pk)")
    return Reply("opened", ticket["subject"])


def list_tickets(who, body):
    # Agents see everybody's. The context came as strings.
    if who["isAgent"] == "true":
        found = table.query(IndexName="by-status", KeyConditionExpression=Key("status").eq("open"))
    else:
        found = table.query(KeyConditionExpression=Key("pk").eq(who["user"]))
    items = sorted(found["Items"], key=lambda item: item["opened"])
    return Reply("tickets", [{"user": item["pk"], "subject": item["subject"]} for item in items])
