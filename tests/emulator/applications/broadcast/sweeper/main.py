"""Throws out connections whose $disconnect never came."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["CONNECTIONS_TABLE"])
client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["API_ENDPOINT"])


def lambda_handler(event, context):
    print("sweeping for", event["detail-type"])
    for item in table.scan()["Items"]:
        try:
            client.get_connection(ConnectionId=item["connectionId"])
        except client.exceptions.GoneException:
            print("gone:", item["connectionId"])
            table.delete_item(Key={"connectionId": item["connectionId"]})
