import json
import time


def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"pong": int(time.time() * 1000)})}
