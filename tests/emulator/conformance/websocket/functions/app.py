"""Functions that do what the client says and write down every event that they get.

A script is a JSON object: `sleep` (seconds), then `fail` (an error's message), `post` (text for the connection itself),
and the answer: `answer` as it stands, or what the function would answer by itself with the fields of `reply` over it.
"""

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3

Json = Mapping[str, Any]

TABLE: Any = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def authorize(event: Json, context: object) -> object:
    """The script is the query's `auth`. `allow` and `deny` are resources: {arn} is the method's, {api} the API's.

    `pad` makes a context of so many characters.
    """
    query = event.get("queryStringParameters") or {}
    script = json.loads(query.get("auth", "{}"))
    _write(query.get("run", "nobody"), "authorizer", event)
    return _act(script, event, lambda: _policy(script, event))


def connection(event: Json, context: object) -> object:
    """$connect, with the query's `do` as its script, and $disconnect."""
    if event["requestContext"]["eventType"] == "DISCONNECT":
        _write(event["requestContext"]["connectionId"], "disconnect", event)
        return {"statusCode": 200}
    query = event.get("queryStringParameters") or {}
    script = json.loads(query.get("do", "{}"))
    _write(query.get("run", "nobody"), "connect", event)
    return _act(script, event, lambda: {"statusCode": 200, **script.get("reply", {})})


def route(event: Json, context: object) -> object:
    """Any message; the script is the message's `do`."""
    script = _script(event["body"])
    _write(event["requestContext"]["connectionId"], "route", event)
    return _act(script, event, lambda: {"statusCode": 200, **script.get("reply", {})})


def ledger(event: Json, context: object) -> object:
    """What was written for each of the keys in `of`, oldest first; and where the other API is."""
    found: list[Json] = []
    for key in event["of"]:
        pages = TABLE.query(
            KeyConditionExpression="#of = :of",
            ExpressionAttributeNames={"#of": "of"},
            ExpressionAttributeValues={":of": key},
            ConsistentRead=True,
        )
        found += [{"function": item["function"], "event": json.loads(item["event"])} for item in pages["Items"]]
    return {"events": found, "open_api": os.environ["OPEN_API"]}


def _act(script: Json, event: Json, answer: Callable[[], object]) -> object:
    time.sleep(script.get("sleep", 0))
    if "fail" in script:
        raise Exception(script["fail"])  # the client chose the message, the class does not matter
    if "post" in script:
        outcome = _post(event["requestContext"], script["post"])
        return {"statusCode": 410 if outcome == "gone" else 200, "body": outcome}
    return script["answer"] if "answer" in script else answer()


def _post(context: Json, text: str) -> str:
    endpoint = f"https://{context['domainName']}/{context['stage']}"
    client: Any = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    try:
        client.post_to_connection(ConnectionId=context["connectionId"], Data=text.encode())
    except client.exceptions.GoneException:
        return "gone"
    return "posted"


def _policy(script: Json, event: Json) -> object:
    arn = event["methodArn"]
    statements = [
        {"Effect": effect, "Action": "execute-api:Invoke", "Resource": _filled(pattern, arn)}
        for effect in ("Allow", "Deny")
        for pattern in script.get(effect.lower(), ["{arn}"] if effect == "Allow" else [])
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    context = {"pad": "x" * script["pad"]} if "pad" in script else script.get("context", {})
    return {"principalId": "someone", "policyDocument": policy, "context": context}


def _filled(pattern: str, arn: str) -> str:
    return pattern.replace("{arn}", arn).replace("{api}", arn.partition("/")[0])


def _script(body: str) -> Json:
    try:
        found: Json = json.loads(body)["do"]
    except (ValueError, TypeError, KeyError):
        return {}
    return found


def _write(key: str, function: str, event: Json) -> None:
    text = json.dumps({**event, "writtenAt": time.time()})
    at = f"{time.time_ns()}-{uuid.uuid4()}"
    TABLE.put_item(Item={"of": key, "at": at, "function": function, "event": text})
