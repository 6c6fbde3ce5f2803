"""From a SAM template to an application."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from emulator.contract import Application, RouteSpec, ScheduleSpec
from emulator.template import TemplateError, load

SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Isolation: {Type: String, Default: user, AllowedValues: [user, none]}
Conditions:
  Isolated: !Not [!Equals [!Ref Isolation, none]]
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    Timeout: 10
    LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG}
    Environment: {Variables: {TABLE: !Ref Table, FLAG: true, LIMIT: 3}}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Built:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/built}
  Bare:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layers/bare}
  Guard:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src}
  Chat:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      FunctionName: chat
      MemorySize: 512
      Layers: [!Ref Built, !Ref Bare, "arn:aws:lambda:eu-west-1:1:layer:Foreign:7"]
      Environment: {Variables: {ENGINE: !Ref Engine, ARN: !GetAtt Engine.Arn}}
  Engine:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      ReservedConcurrentExecutions: 3
      TenancyConfig: !If [Isolated, {TenantIsolationMode: PER_TENANT}, !Ref AWS::NoValue]
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        MaximumEventAgeInSeconds: 60
        DestinationConfig: {OnFailure: {Type: Lambda, Destination: !GetAtt Recovery.Arn}}
  Recovery:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Events:
        Minute: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
        Hour: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(2 hours), Input: '{"a": 1}'}}
        Paused: {Type: Schedule, Properties: {Schedule: rate(1 day), State: DISABLED}}
        Noon: {Type: Schedule, Properties: {Schedule: "cron(0 12 * * ? *)"}}
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      StageName: live
      Auth:
        AuthType: CUSTOM
        AuthArn: !GetAtt Guard.Arn
        IdentitySource: [route.request.querystring.token]
      Routes:
        $connect: {FunctionArn: !GetAtt Chat.Arn}
        $default: {FunctionArn: !GetAtt Chat.Arn}
        run: {FunctionArn: !GetAtt Engine.Arn}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template above with the folders that it names."""
    for folder in ("src", "layers/built/python", "layers/bare"):
        (tmp_path / folder).mkdir(parents=True)
    path = tmp_path / "template.yaml"
    path.write_text(SAM, encoding="utf-8")
    return path


@pytest.fixture
def application(template: Path) -> Application:
    """The application of the template above."""
    return load(template)


def test_the_api_has_its_routes_and_authorizer(application: Application) -> None:
    """A WebSocketApi becomes a stage with routes to functions; $connect has the authorizer."""
    (api,) = application.apis
    assert (api.logical_id, api.stage, api.route_selection) == ("Api", "live", "$request.body.action")
    assert api.identity_sources == ("route.request.querystring.token",)
    assert api.routes == (
        RouteSpec("$connect", "chat", "Guard"),
        RouteSpec("$default", "chat", None),
        RouteSpec("run", "Engine", None),
    )


def test_a_function_has_globals_and_its_own(application: Application, tmp_path: Path) -> None:
    """Globals are merged, references resolved, layers with `python/` entered."""
    chat = next(spec for spec in application.functions if spec.name == "chat")
    assert (chat.logical_id, chat.handler, chat.timeout_s, chat.memory_mb) == ("Chat", "app.handler", 10, 512)
    assert chat.code_dir == tmp_path / "src"
    assert chat.layer_dirs == (tmp_path / "layers/built/python", tmp_path / "layers/bare")
    assert dict(chat.environment) == {
        "TABLE": "local-Table",
        "FLAG": "true",
        "LIMIT": "3",
        "ENGINE": "Engine",
        "ARN": "arn:aws:lambda:us-east-1:123456789012:function:Engine",
    }
    assert (chat.log_format, chat.log_level) == ("JSON", "DEBUG")
    assert (chat.max_retries, chat.max_event_age_s, chat.on_failure, chat.tenant_isolation) == (2, 21600, None, False)


def test_the_engine_has_its_invoke_settings(application: Application) -> None:
    """Concurrency, tenancy, retries, age and destination reach the specification."""
    engine = next(spec for spec in application.functions if spec.name == "Engine")
    assert (engine.reserved_concurrency, engine.tenant_isolation) == (3, True)
    assert (engine.max_retries, engine.max_event_age_s, engine.on_failure) == (0, 60, "Recovery")


def test_a_parameter_changes_the_application(template: Path) -> None:
    """Isolation `none` drops the tenancy configuration."""
    engine = next(spec for spec in load(template, parameters={"Isolation": "none"}).functions if spec.name == "Engine")
    assert not engine.tenant_isolation


def test_enabled_schedules_are_run(application: Application) -> None:
    """Rules and Scheduler schedules alike; disabled ones are left out."""
    assert set(application.schedules) == {
        ScheduleSpec("Recovery", 60, None),
        ScheduleSpec("Recovery", 7200, '{"a": 1}'),
        ScheduleSpec("Recovery", 0, None, cron="0 12 * * ? *"),
    }


def test_what_does_not_run_is_named(application: Application) -> None:
    """Foreign layers and resource types that are not run: one line each."""
    said = "\n".join(application.unsupported)
    assert "layer arn:aws:lambda:eu-west-1:1:layer:Foreign:7 is not in the template" in said
    assert "AWS::CloudWatch::Alarm: not run here (Alarm)" in said
    assert not any("\n" in line for line in application.unsupported)


def test_what_differs_is_a_note(tmp_path: Path) -> None:
    """A property without effect and another Python run all the same; a resource that does not run is no note."""
    path = tmp_path / "template.yaml"
    path.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: ., Handler: a.b, Runtime: python3.9, VpcConfig: {SubnetIds: [s]}}\n"
        "  Alarm: {Type: AWS::CloudWatch::Alarm}\n"
    )
    application = load(path)
    assert [line.split(" here")[0].rsplit(" on ", 1)[0] for line in application.notes] == [
        "F: VpcConfig has no effect",
        "F: runs",
    ]
    assert "AWS::CloudWatch::Alarm: not run here (Alarm)" in application.unsupported
    assert not any(line.startswith("F:") for line in application.unsupported)


def test_the_state_template_has_the_table_alone(application: Application) -> None:
    """Tables and their like, with their names, resolved."""
    resources = json.loads(application.state_template)["Resources"]
    assert list(resources) == ["Table"]
    assert resources["Table"]["Properties"]["TableName"] == "local-Table"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources:\n  a: b\n c: [", r"template\.yaml:3:2: expected <block end>"),
        ("Resources:\n\tA: b", r"template\.yaml:2:1: "),
        ("Resources: {A: [1]}", "A must be an object"),
        ("Resources: {A: {Properties: {}}}", "type of A"),
        ("Resources: {A: {Type: 'AWS::SNS::Topic', Condition: Nope}}", "no condition Nope"),
        (
            "Conditions: {A: !Not [Condition: A]}\nResources: {T: {Type: 'AWS::SNS::Topic', Condition: A}}",
            "circular reference: condition A -> condition A",
        ),
        ("a: 1", "no Resources"),
        ("Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Runtime: python3.13}}}", "F"),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: 'AWS::Serverless::Function', "
            "Properties: {Runtime: python3.13, Handler: a.b, CodeUri: nowhere}}}",
            "F: there is no folder nowhere",
        ),
        ("Resources: {F: {Type: 'AWS::Serverless::Unheard', Properties: {}}}", "Unheard"),
    ],
)
def test_a_broken_template_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    """YAML, SAM and folder mistakes are TemplateErrors of one line."""
    path = tmp_path / "template.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(TemplateError, match=said) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_a_missing_template_is_one_clear_line(tmp_path: Path) -> None:
    """As is a path that leads nowhere."""
    with pytest.raises(TemplateError, match="there is no template"):
        load(tmp_path / "nothing.yaml")
