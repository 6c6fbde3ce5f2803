import json

import boto3
import rooms
from markupsafe import escape


def handler(event, context):
    domain_name = event["requestContext"]["domainName"]
    stage = event["requestContext"]["stage"]
    connection_id = event["requestContext"]["connectionId"]
    data = json.loads(event["body"])["data"]

    apigw = boto3.client("apigatewaymanagementapi", endpoint_url="https://" + domain_name + "/" + stage)

    room = rooms.room_of(connection_id)
    for member in rooms.members(room):
        try:
            apigw.post_to_connection(
                ConnectionId=member, Data=json.dumps({"room": room, "data": str(escape(data))}).encode()
            )
        except apigw.exceptions.GoneException:
            rooms.leave(member)

    return {"statusCode": 200, "body": "Data sent."}
