"""What a template says of tables, queues and so on is there, as a process with the functions' variables finds it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from emulator.contract import Application
from emulator.processes import Reaper
from emulator.state import State
from emulator.template import load

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Units: {Type: Number, Default: 5}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: room, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      ProvisionedThroughput: {ReadCapacityUnits: !Ref Units, WriteCapacityUnits: !Ref Units}
      GlobalSecondaryIndexes:
        - IndexName: rooms
          KeySchema: [{AttributeName: room, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
          ProvisionedThroughput: {ReadCapacityUnits: !Ref Units, WriteCapacityUnits: 5}
  Simple:
    Type: AWS::Serverless::SimpleTable
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 7
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Dead:
    Type: AWS::SQS::Queue
  Ordered:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, ContentBasedDeduplication: true}
  News:
    Type: AWS::SNS::Topic
    Properties:
      Subscription: [{Protocol: sqs, Endpoint: !GetAtt Work.Arn}]
  Filtered:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref News
      Protocol: sqs
      Endpoint: !GetAtt Dead.Arn
      RawMessageDelivery: true
      FilterPolicy: {kind: [alarm]}
  Files:
    Type: AWS::S3::Bucket
  Setting:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: /app/greeting, Value: hello}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: app/key, SecretString: '{"key": "k"}'}
  Made:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"user": "u"}', GenerateStringKey: password, PasswordLength: 20}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Runtime: python3.13
      Handler: app.handler
      Environment:
        Variables:
          TABLE: !Ref Table
          TABLE_ARN: !GetAtt Table.Arn
          SIMPLE: !Ref Simple
          WORK: !Ref Work
          WORK_ARN: !GetAtt Work.Arn
          WORK_NAME: !GetAtt Work.QueueName
          DEAD: !GetAtt Dead.QueueUrl
          ORDERED: !Ref Ordered
          NEWS: !Ref News
          FILES: !Ref Files
          FILES_ARN: !GetAtt Files.Arn
          SETTING: !Ref Setting
          SETTING_VALUE: !GetAtt Setting.Value
          SECRET: !Ref Secret
          MADE: !Ref Made
"""


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """The template above, loaded."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return load(path)


@pytest_asyncio.fixture
async def environment(application: Application) -> AsyncIterator[dict[str, str]]:
    """The variables of the function, beside a state made of the template."""
    with Reaper() as reaper:
        state = State(application.state_template, reaper=reaper)
        await state.start()
        try:
            bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            role = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "x"}
            template = application.functions[0].environment
            yield {**bare, **role, **template, "AWS_DEFAULT_REGION": "us-east-1", **state.endpoints}
        finally:
            await state.stop()


async def printed(environment: dict[str, str], code: str) -> object:
    """The JSON that a process prints; `e` are its variables, `boto3` and `json` imported."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import boto3, json, os\ne = os.environ\n" + textwrap.dedent(code),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


async def test_tables(environment: dict[str, str]) -> None:
    """Tables and their indexes take items; their ARNs are those of the references."""
    assert await printed(
        environment,
        """
        table = boto3.resource("dynamodb").Table(e["TABLE"])
        table.put_item(Item={"id": "1", "room": "r"})
        found = table.query(IndexName="rooms", KeyConditionExpression=boto3.dynamodb.conditions.Key("room").eq("r"))
        boto3.resource("dynamodb").Table(e["SIMPLE"]).put_item(Item={"id": "2"})
        print(json.dumps([found["Items"], table.table_arn == e["TABLE_ARN"]]))
        """,
    ) == [[{"id": "1", "room": "r"}], True]


async def test_queues(environment: dict[str, str]) -> None:
    """A queue takes messages by the URL of the reference, keeps its attributes, and has its queue of dead letters."""
    assert await printed(
        environment,
        """
        sqs = boto3.client("sqs")
        sqs.send_message(QueueUrl=e["WORK"], MessageBody="hi")
        body = sqs.receive_message(QueueUrl=e["WORK"])["Messages"][0]["Body"]
        names = ["QueueArn", "VisibilityTimeout", "RedrivePolicy"]
        kept = sqs.get_queue_attributes(QueueUrl=e["WORK"], AttributeNames=names)["Attributes"]
        redrive = json.loads(kept["RedrivePolicy"])
        sqs.send_message(QueueUrl=e["ORDERED"], MessageBody="1", MessageGroupId="g")
        url = sqs.get_queue_url(QueueName=e["WORK_NAME"])["QueueUrl"]
        print(json.dumps([
            body, kept["QueueArn"] == e["WORK_ARN"], kept["VisibilityTimeout"], int(redrive["maxReceiveCount"]),
            e["ORDERED"].endswith(".fifo"), url.rsplit("/", 2)[1:] == e["WORK"].rsplit("/", 2)[1:],
        ]))
        """,
    ) == ["hi", True, "7", 2, True, True]


async def test_topics(environment: dict[str, str]) -> None:
    """A topic reaches the queues that are subscribed, past their filters, wrapped or raw."""
    assert await printed(
        environment,
        """
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        sns.publish(TopicArn=e["NEWS"], Message="plain")
        kind = {"kind": {"DataType": "String", "StringValue": "alarm"}}
        sns.publish(TopicArn=e["NEWS"], Message="alarm", MessageAttributes=kind)
        def bodies(url):
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [each["Body"] for each in found]
        print(json.dumps([[json.loads(body)["Message"] for body in bodies(e["WORK"])], bodies(e["DEAD"])]))
        """,
    ) == [["plain", "alarm"], ["alarm"]]


async def test_buckets(environment: dict[str, str]) -> None:
    """A bucket keeps objects; presigned addresses stay on this machine."""
    assert await printed(
        environment,
        """
        import urllib.request
        s3 = boto3.client("s3")
        s3.put_object(Bucket=e["FILES"], Key="a b/c", Body=b"x")
        address = s3.generate_presigned_url("get_object", Params={"Bucket": e["FILES"], "Key": "a b/c"})
        body = urllib.request.urlopen(address).read().decode()
        arn = "arn:aws:s3:::" + e["FILES"]
        print(json.dumps([body, address.startswith("http://127.0.0.1:"), e["FILES_ARN"] == arn]))
        """,
    ) == ["x", True, True]


async def test_parameters_and_secrets(environment: dict[str, str]) -> None:
    """Both are found by what the template's references give; a secret's reference is its whole ARN."""
    assert await printed(
        environment,
        """
        ssm, secrets = boto3.client("ssm"), boto3.client("secretsmanager")
        value = ssm.get_parameter(Name=e["SETTING"])["Parameter"]["Value"]
        secret = secrets.get_secret_value(SecretId=e["SECRET"])
        by_name = secrets.get_secret_value(SecretId="app/key")["SecretString"]
        made = json.loads(secrets.get_secret_value(SecretId=e["MADE"])["SecretString"])
        print(json.dumps([
            value, e["SETTING_VALUE"], json.loads(secret["SecretString"])["key"], secret["ARN"] == e["SECRET"],
            by_name == secret["SecretString"], made["user"], len(made["password"]),
        ]))
        """,
    ) == ["hello", "hello", "k", True, True, "u", 20]


async def test_nothing_leaves_the_machine(environment: dict[str, str]) -> None:
    """The client of any service asks this machine, and one that is not played here says so."""
    assert await printed(
        environment,
        """
        from botocore.exceptions import ClientError
        session = boto3.Session()
        def strays(service):
            return not session.client(service).meta.endpoint_url.startswith("http://127.0.0.1:")
        try:
            session.client("translate").list_languages()
        except ClientError as error:
            code = error.response["Error"]["Code"]
        services = ["apigatewaymanagementapi", "bedrock-runtime", "dynamodb", "events", "iam", "kms", "lambda", "s3",
                    "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "sts"]
        print(json.dumps([[service for service in services if strays(service)], code]))
        """,
    ) == [[], "NotImplementedException"]


async def test_an_operation_that_moto_lacks_is_one_error(environment: dict[str, str]) -> None:
    """It is named, and not repeated as a fault of the server would be."""
    assert await printed(
        environment,
        """
        from botocore.exceptions import ClientError
        try:
            boto3.client("bedrock-runtime").converse_stream(modelId="m", messages=[])
        except ClientError as error:
            found = error.response
        print(json.dumps([
            found["Error"]["Code"], "converse_stream" in found["Error"]["Message"],
            found["ResponseMetadata"]["RetryAttempts"],
        ]))
        """,
    ) == ["NotImplementedException", True, 0]


def test_what_has_no_effect_is_named(tmp_path: Path) -> None:
    """A property or a subscription that is not kept gets one line each."""
    path = tmp_path / "template.yaml"
    path.write_text(
        textwrap.dedent("""
        Resources:
          Files: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}, Tags: []}}
          News:
            Type: AWS::SNS::Topic
            Properties: {Subscription: [{Protocol: email, Endpoint: a@b.example}]}
          Mail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref News, Protocol: lambda, Endpoint: f}}
          Allowed: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [], PolicyDocument: {}}}
        """)
    )
    application = load(path)
    assert application.notes == ("Files: VersioningConfiguration has no effect here",)
    assert application.unsupported == (
        "News: a topic is delivered to queues here, not by email",
        "Mail: a topic is delivered to queues here, not by lambda",
        "AWS::SQS::QueuePolicy: permissions are not checked (Allowed)",
    )
