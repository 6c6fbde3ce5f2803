"""Makes the tables of a template behind the front, and its queues and so on in moto.

By the services' own calls: moto's CloudFormation knows no secrets and drops a table's time to live.
"""

import json
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import ClientSession

from emulator.state.calls import AwsCalls, attribute_text
from emulator.state.options import StateFailed, StateOptions
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


_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


def kinds(state_template: str) -> frozenset[str]:
    """The types of the resources in a plain CloudFormation template, which may be empty."""
    template: Json = json.loads(state_template or "{}")
    resources = as_object(as_object(template, "the state template").get("Resources"), "Resources")
    return frozenset(as_text(as_object(node, name)["Type"], name) for name, node in resources.items())


async def create(state_template: str, *, url: str, dynamodb_url: str, options: StateOptions) -> None:
    """Create all resources of a plain CloudFormation template that has only the types below.

    Tables in a data folder that is used again are left as they are. Raises `StateFailed`.
    """
    if not state_template:
        return
    template: Json = json.loads(state_template)
    resources = as_object(as_object(template, "the state template").get("Resources"), "Resources")
    async with ClientSession() as session:
        calls = AwsCalls(session, url=url, dynamodb_url=dynamodb_url, region=options.region)
        maker = _Maker(calls, options)
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
    def __init__(self, calls: AwsCalls, options: StateOptions) -> None:
        self._calls = calls
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
            await self._calls.dynamodb("CreateTable", wanted)
        except StateFailed as refused:
            if self._options.data is None or refused.code != "ResourceInUseException":
                raise
            found = as_object((await self._calls.dynamodb("DescribeTable", name))["Table"], "Table")
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
            answer = await self._calls.dynamodb("DescribeTimeToLive", name)
            found = as_object(answer["TimeToLiveDescription"], "TimeToLiveDescription")
            if found.get("TimeToLiveStatus") == "ENABLED" and found.get("AttributeName") == wanted["AttributeName"]:
                return
        await self._calls.dynamodb("UpdateTimeToLive", {**name, "TimeToLiveSpecification": wanted})

    async def _queue(self, properties: Object) -> None:
        attributes: Object = {
            name: attribute_text(name, value) for name, value in properties.items() if name != "QueueName"
        }
        await self._calls.json(
            "sqs", "AmazonSQS.CreateQueue", {"QueueName": properties["QueueName"], "Attributes": attributes}
        )

    async def _parameter(self, properties: Object) -> None:
        await self._calls.json("ssm", "AmazonSSM.PutParameter", properties)

    async def _secret(self, properties: Object) -> None:
        kept: Object = {name: properties[name] for name in ("Name", "Description") if name in properties}
        request: Object = {**kept, "SecretString": _secret_string(properties)}
        await self._calls.json(
            "secretsmanager", "secretsmanager.CreateSecret", {**request, "ClientRequestToken": secrets.token_hex(16)}
        )

    async def _topic(self, properties: Object) -> None:
        name = as_text(properties["TopicName"], "TopicName")
        attributes: Object = {
            each: value for each, value in properties.items() if each not in {"TopicName", "Subscription"}
        }
        await self._calls.sns("CreateTopic", {"Name": name, **_entries(attributes)})
        arn = f"arn:aws:sns:{self._options.region}:{self._options.account_id}:{name}"
        for node in as_list(properties.get("Subscription"), "Subscription"):
            await self._subscription({**as_object(node, "Subscription"), "TopicArn": arn})

    async def _subscription(self, properties: Object) -> None:
        own = ("TopicArn", "Protocol", "Endpoint")
        attributes: Object = {each: value for each, value in properties.items() if each not in own}
        required = {each: as_text(properties[each], each) for each in own}
        await self._calls.sns("Subscribe", {**required, **_entries(attributes)})

    async def _bucket(self, properties: Object) -> None:
        await self._calls.send("s3", "PUT", "/" + as_text(properties["BucketName"], "BucketName"), {}, b"")


def _number_capacity(table: Object) -> None:
    indexes = as_list(table.get("GlobalSecondaryIndexes"), "GlobalSecondaryIndexes")
    for owner in (table, *(as_object(index, "GlobalSecondaryIndexes") for index in indexes)):
        if "ProvisionedThroughput" in owner:
            units = as_object(owner["ProvisionedThroughput"], "ProvisionedThroughput")
            owner["ProvisionedThroughput"] = {name: as_int(value, name) for name, value in units.items()}


def _entries(attributes: Object) -> dict[str, str]:
    found = {}
    for number, (name, value) in enumerate(attributes.items(), start=1):
        found[f"Attributes.entry.{number}.key"] = name
        found[f"Attributes.entry.{number}.value"] = attribute_text(name, value)
    return found


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


def keys_of(table: Object) -> tuple[frozenset[tuple[str, str, str]], frozenset[tuple[str, str]]]:
    """The keys of a table and of its indexes as (index or empty, HASH or RANGE, attribute), and the attributes' types.

    Takes the properties of a template and the description from DescribeTable alike.
    """
    keys = {("", kind, name) for kind, name in _schema(table)}
    for index in (each for kind in _INDEXES for each in _list(table.get(kind))):
        keys.update((str(index.get("IndexName")), kind, name) for kind, name in _schema(index))
    types = {(str(each["AttributeName"]), str(each["AttributeType"])) for each in _list(table["AttributeDefinitions"])}
    return frozenset(keys), frozenset(types)


def _schema(owner: Object) -> list[tuple[str, str]]:
    return [(str(each["KeyType"]), str(each["AttributeName"])) for each in _list(owner["KeySchema"])]


def _list(node: Json) -> list[Object]:
    return [as_object(each, "a list's entry") for each in node] if isinstance(node, list) else []
