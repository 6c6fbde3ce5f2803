"""Makes the tables of a template behind the front, and its queues and so on in moto.

By the services' own calls: moto's CloudFormation knows no secrets and drops a table's time to live.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from aiohttp import ClientSession

from emulator.state.errors import StateFailed
from emulator.state.options import StateOptions
from emulator.state.tables import error_code, keys_of
from emulator.template.values import Json, Object, as_int, as_list, as_object, as_text

_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "TableName",
)


async def create(state_template: str, *, url: str, dynamodb_url: str, options: StateOptions) -> None:
    """Create all resources of a plain CloudFormation template that has only the types below.

    Tables in a data folder that is used again are left as they are. Raises `StateFailed`.
    """
    if not state_template:
        return
    template: Json = json.loads(state_template)
    resources = as_object(as_object(template, "the state template").get("Resources"), "Resources")
    async with ClientSession() as session:
        maker = _Maker(session, url, dynamodb_url, options)
        every = {logical_id: as_object(node, logical_id) for logical_id, node in resources.items()}
        for logical_id in sorted(every, key=lambda each: _order(every[each])):
            resource = every[logical_id]
            await maker.make(
                logical_id, as_text(resource["Type"], logical_id), as_object(resource["Properties"], logical_id)
            )


def _order(resource: Object) -> int:
    """What others refer to comes first: a queue of dead letters, then the topics, then their subscriptions."""
    kind = as_text(resource["Type"], "Type")
    if kind == "AWS::SQS::Queue":
        return 1 if "RedrivePolicy" in as_object(resource["Properties"], kind) else 0
    return {"AWS::SNS::Topic": 2, "AWS::SNS::Subscription": 3}.get(kind, 0)


class _Maker:
    def __init__(self, session: ClientSession, url: str, dynamodb_url: str, options: StateOptions) -> None:
        self._session = session
        self._url = url
        self._dynamodb_url = dynamodb_url
        self._options = options
        self._makers: dict[str, Callable[[Object], Awaitable[None]]] = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SNS::Subscription": self._subscription,
            "AWS::SNS::Topic": self._topic,
            "AWS::SQS::Queue": self._queue,
            "AWS::SSM::Parameter": self._parameter,
            "AWS::SecretsManager::Secret": self._secret,
        }

    async def make(self, logical_id: str, kind: str, properties: Object) -> None:
        try:
            await self._makers[kind](properties)
        except StateFailed as error:
            raise StateFailed(f"{logical_id}: {error}") from None

    async def _table(self, properties: Object) -> None:
        wanted: Object = {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}
        # A number that comes from a parameter of the template is a string.
        _number_capacity(wanted)
        stream = as_object(properties.get("StreamSpecification"), "StreamSpecification")
        if stream:
            wanted["StreamSpecification"] = {"StreamEnabled": True, **stream}
        name: Object = {"TableName": properties["TableName"]}
        try:
            await self._dynamodb("CreateTable", wanted)
        except StateFailed as refused:
            if self._options.data is None or refused.code != "ResourceInUseException":
                raise
            found = as_object((await self._dynamodb("DescribeTable", name))["Table"], "Table")
            if keys_of(found) != keys_of(wanted):
                raise StateFailed(
                    f"the table in {self._options.data} has other keys or indexes than the template's; "
                    "remove that folder or name another with --data"
                ) from None
        if "TimeToLiveSpecification" in properties:
            await self._time_to_live(name, as_object(properties["TimeToLiveSpecification"], "TimeToLiveSpecification"))

    async def _time_to_live(self, name: Object, wanted: Object) -> None:
        if self._options.data is not None:
            # Setting it to what it is would be an error.
            answer = await self._dynamodb("DescribeTimeToLive", name)
            found = as_object(answer["TimeToLiveDescription"], "TimeToLiveDescription")
            if found.get("TimeToLiveStatus") == "ENABLED" and found.get("AttributeName") == wanted["AttributeName"]:
                return
        await self._dynamodb("UpdateTimeToLive", {**name, "TimeToLiveSpecification": wanted})

    async def _queue(self, properties: Object) -> None:
        attributes: Object = {
            name: _attribute(name, value) for name, value in properties.items() if name != "QueueName"
        }
        await self._json(
            "sqs", "AmazonSQS.CreateQueue", {"QueueName": properties["QueueName"], "Attributes": attributes}
        )

    async def _parameter(self, properties: Object) -> None:
        await self._json("ssm", "AmazonSSM.PutParameter", properties)

    async def _secret(self, properties: Object) -> None:
        kept: Object = {name: properties[name] for name in ("Name", "Description") if name in properties}
        request: Object = {**kept, "SecretString": _secret_string(properties)}
        await self._json(
            "secretsmanager", "secretsmanager.CreateSecret", {**request, "ClientRequestToken": secrets.token_hex(16)}
        )

    async def _topic(self, properties: Object) -> None:
        name = as_text(properties["TopicName"], "TopicName")
        attributes: Object = {
            each: value for each, value in properties.items() if each not in {"TopicName", "Subscription"}
        }
        await self._sns("CreateTopic", {"Name": name}, attributes)
        arn = f"arn:aws:sns:{self._options.region}:{self._options.account_id}:{name}"
        for node in as_list(properties.get("Subscription"), "Subscription"):
            await self._subscription({**as_object(node, "Subscription"), "TopicArn": arn})

    async def _subscription(self, properties: Object) -> None:
        own = ("TopicArn", "Protocol", "Endpoint")
        attributes: Object = {each: value for each, value in properties.items() if each not in own}
        await self._sns("Subscribe", {each: as_text(properties[each], each) for each in own}, attributes)

    async def _sns(self, action: str, request: dict[str, str], attributes: Object) -> None:
        """A call of the query protocol. https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
        form = {"Action": action, "Version": "2010-03-31", **request}
        for number, (name, value) in enumerate(attributes.items(), start=1):
            form[f"Attributes.entry.{number}.key"] = name
            form[f"Attributes.entry.{number}.value"] = _attribute(name, value)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        await self._send("sns", "POST", "/", headers, urlencode(form).encode())

    async def _bucket(self, properties: Object) -> None:
        await self._send("s3", "PUT", "/" + as_text(properties["BucketName"], "BucketName"), {}, b"")

    async def _dynamodb(self, operation: str, request: Object) -> Object:
        answer = await self._json("dynamodb", f"DynamoDB_20120810.{operation}", request)
        return as_object(json.loads(answer), operation)

    async def _json(self, service: str, target: str, request: Object) -> bytes:
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
        return await self._send(service, "POST", "/", headers, json.dumps(request).encode())

    async def _send(self, service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        # moto tells services apart by the scope of the signature, which it does not verify.
        scope = f"emulator/20260101/{self._options.region}/{service}/aws4_request"
        signed = {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        url = self._dynamodb_url if service == "dynamodb" else self._url
        async with self._session.request(method, url + path, headers=signed, data=body) as answer:
            content = await answer.read()
            if answer.status != 200:
                text = content.decode("utf-8", "replace")
                raise StateFailed(" ".join(text.split())[:500], code=error_code(text))
            return content


def _number_capacity(table: Object) -> None:
    indexes = as_list(table.get("GlobalSecondaryIndexes"), "GlobalSecondaryIndexes")
    for owner in (table, *(as_object(index, "GlobalSecondaryIndexes") for index in indexes)):
        if "ProvisionedThroughput" in owner:
            units = as_object(owner["ProvisionedThroughput"], "ProvisionedThroughput")
            owner["ProvisionedThroughput"] = {name: as_int(value, name) for name, value in units.items()}


def _attribute(name: str, value: Json) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else as_text(value, name)


def _secret_string(properties: Object) -> str:
    """The secret's value; a generated one where the template asks for that.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
    """
    if "SecretString" in properties:
        return as_text(properties["SecretString"], "SecretString")
    rule = as_object(properties.get("GenerateSecretString"), "GenerateSecretString")
    length = as_int(rule.get("PasswordLength", 32), "PasswordLength")
    made = secrets.token_hex(length)[:length]
    key = rule.get("GenerateStringKey")
    if key is None:
        return made
    filled = json.loads(as_text(rule.get("SecretStringTemplate", "{}"), "SecretStringTemplate"))
    return json.dumps({**filled, as_text(key, "GenerateStringKey"): made})
