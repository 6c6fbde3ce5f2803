import json

import boto3
from helpdesk import setting
from tokens import BadToken, check

secrets = boto3.client("secretsmanager")
_key = None


def signing_key():
    global _key
    if _key is None:
        secret = secrets.get_secret_value(SecretId=setting("SIGNING_SECRET"))
        _key = json.loads(secret["SecretString"])["key"]
    return _key


def lambda_handler(event, context):
    token = event["queryStringParameters"]["token"]
    try:
        user, role = check(signing_key(), token)
    except BadToken as e:
        print("refused:", e)
        raise Exception("Unauthorized")
    effect = "Deny" if user in setting("BANNED").split(",") else "Allow"
    return {
        "principalId": user,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}],
        },
        "context": {"user": user, "role": role, "isAgent": role == "agent", "level": 2 if role == "agent" else 1},
    }
