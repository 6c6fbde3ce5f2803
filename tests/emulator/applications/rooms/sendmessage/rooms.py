import os

import boto3
from boto3.dynamodb.conditions import Key

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def room_of(connection_id):
    return table.get_item(Key={"connectionId": connection_id})["Item"]["room"]


def members(room):
    answer = table.query(IndexName="room-index", KeyConditionExpression=Key("room").eq(room))
    return [item["connectionId"] for item in answer["Items"]]


def leave(connection_id):
    table.delete_item(Key={"connectionId": connection_id})
