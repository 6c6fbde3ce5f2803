"""Calls of the services that keep the functions' state, as bytes: an SDK takes longer to import than all of them."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession

from emulator.contract import SendFailed
from emulator.state.options import StateFailed
from emulator.template.values import Json, Object, as_object, as_text


class AwsCalls:
    """The services at `url`, and DynamoDB at `dynamodb_url`. Every call raises `StateFailed` if it is refused."""

    def __init__(self, session: ClientSession, *, url: str, dynamodb_url: str, region: str) -> None:
        self._session = session
        self._url = url
        self._dynamodb_url = dynamodb_url
        self._region = region

    async def dynamodb(self, operation: str, request: Object) -> Object:
        """An operation of DynamoDB; returns its answer."""
        answer = await self.json("dynamodb", f"DynamoDB_20120810.{operation}", request)
        return as_object(json.loads(answer), operation)

    async def json(self, service: str, target: str, request: Object) -> bytes:
        """A call of the JSON protocol; returns the answer's body."""
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
        return await self.send(service, "POST", "/", headers, json.dumps(request).encode())

    async def sns(self, action: str, request: Mapping[str, str]) -> None:
        """A call of the query protocol. https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
        form = {"Action": action, "Version": "2010-03-31", **request}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        await self.send("sns", "POST", "/", headers, urlencode(form).encode())

    async def send(self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Any request; returns the answer's body."""
        # moto tells services apart by the scope of the signature, which it does not verify.
        scope = f"emulator/20260101/{self._region}/{service}/aws4_request"
        signed = {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        url = self._dynamodb_url if service == "dynamodb" else self._url
        async with self._session.request(method, url + path, headers=signed, data=body) as answer:
            content = await answer.read()
            if answer.status != 200:
                text = content.decode("utf-8", "replace")
                raise StateFailed(" ".join(text.split())[:500], code=error_code(text))
            return content


async def send_message(arn: str, body: str, attributes: Mapping[str, str | int], *, url: str) -> None:
    """Send a message, as Lambda does to a destination.

    Args:
        arn: The SQS queue or SNS topic.
        body: Its text.
        attributes: Its attributes; numbers go as such.
        url: Where all services are.

    Raises:
        SendFailed: There is no such queue or topic, or nobody answers.
    """
    service, region, account, name = arn.split(":", 5)[2:]
    typed: dict[str, dict[str, str]] = {
        key: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
        for key, value in attributes.items()
    }
    try:
        async with ClientSession() as session:
            calls = AwsCalls(session, url=url, dynamodb_url=url, region=region)
            if service == "sns":
                form = {"TopicArn": arn, "Message": body}
                for number, (key, value) in enumerate(typed.items(), start=1):
                    entry = f"MessageAttributes.entry.{number}"
                    form |= {f"{entry}.Name": key, **{f"{entry}.Value.{part}": text for part, text in value.items()}}
                await calls.sns("Publish", form)
            else:
                queue = f"{url}/{account}/{name}"
                message: Object = {
                    "QueueUrl": queue,
                    "MessageBody": body,
                    "MessageAttributes": {key: {**each} for key, each in typed.items()},
                }
                await calls.json("sqs", "AmazonSQS.SendMessage", message)
    except (StateFailed, ClientError) as error:
        raise SendFailed(str(error)) from error


def attribute_text(name: str, value: Json) -> str:
    """An attribute of a queue or topic as the services take it: a document is JSON."""
    return json.dumps(value) if isinstance(value, (dict, list)) else as_text(value, name)


def error_code(body: str) -> str:
    """The code in an error's JSON body without its namespace, empty if there is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    kind = found.get("__type") if isinstance(found, dict) else None
    return kind.rpartition("#")[2] if isinstance(kind, str) else ""
