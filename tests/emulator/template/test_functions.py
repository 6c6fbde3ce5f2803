"""Functions as others' templates have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.template import TemplateError
from tests.emulator.template.support import HERE, SAM, functions, read, told


def function(properties: str, *, name: str = "F") -> str:
    """A SAM function, with a handler and this Python."""
    every = f"Handler: app.handler, Runtime: {HERE}, {properties}"
    return f"  {name}: {{Type: AWS::Serverless::Function, Properties: {{{every}}}}}\n"


def test_code_lies_where_the_template_says(tmp_path: Path) -> None:
    """Relative to the template, with spaces, absolute, or beside it if nothing is said."""
    for folder in ("plain", "with space", "deep/er"):
        (tmp_path / folder).mkdir(parents=True)
    application = read(
        tmp_path,
        f"{SAM}Parameters: {{Code: {{Type: String, Default: plain}}}}\nResources:\n"
        + function("CodeUri: ./plain/", name="A")
        + function("CodeUri: with space", name="B")
        + function(f"CodeUri: {tmp_path / 'deep/er'}", name="C")
        + function("MemorySize: 256", name="D")
        + function("CodeUri: !Ref Code", name="G")
        + f"  E: {{Type: AWS::Lambda::Function, Properties: {{Handler: app.handler, Runtime: {HERE}, Code: plain}}}}",
    )
    found = {name: spec.code_dir for name, spec in functions(application).items()}
    assert found == {
        "A": tmp_path / "plain",
        "B": tmp_path / "with space",
        "C": tmp_path / "deep/er",
        "D": tmp_path,
        "E": tmp_path / "plain",
        "G": tmp_path / "plain",
    }


@pytest.mark.parametrize(
    "resource",
    [
        "{Type: AWS::Serverless::Function, Properties: {InlineCode: 'x = 1', Handler: index.x, Runtime: %s}}",
        "{Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: 'x = 1'}, Handler: index.x, Runtime: %s}}",
    ],
)
def test_inline_code_is_index_py(tmp_path: Path, cache: Path, resource: str) -> None:
    """In a folder of the cache, whichever kind of resource has it."""
    (spec,) = read(tmp_path, f"{SAM}Resources:\n  F: {resource % HERE}").functions
    assert (spec.code_dir / "index.py").read_text() == "x = 1"
    assert spec.code_dir.is_relative_to(cache)


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        (
            "{Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: a.b, Runtime: nodejs22.x}}",
            "F: its runtime is nodejs22.x, not Python; the function does not run here",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: x}}",
            "F: it is a container image; the function does not run here",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: "
            "{CodeUri: {Bucket: b, Key: k}, Handler: a.b, Runtime: python3.13}}",
            "F: its code is not a local folder (CodeUri); the function does not run here",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {CodeUri: code.zip, Handler: a.b, Runtime: python3.13}}",
            "F: its code is not a local folder (CodeUri); the function does not run here",
        ),
        (
            "{Type: AWS::Lambda::Function, Properties: "
            "{Code: {S3Bucket: b, S3Key: k}, Handler: a.b, Runtime: python3.13}}",
            "F: its code is not a local folder (CodeUri); the function does not run here",
        ),
    ],
)
def test_a_function_that_cannot_run_is_one_line(tmp_path: Path, resource: str, line: str) -> None:
    """Other runtimes, images, code in S3 or in an archive; the rest of the template runs."""
    (tmp_path / "src").mkdir()
    (tmp_path / "code.zip").touch()
    application = read(tmp_path, f"{SAM}Resources:\n  F: {resource}")
    assert application.functions == ()
    assert told(application) == [line]


def test_another_python_is_told(tmp_path: Path) -> None:
    """Every function runs on the emulator's own; the variable that names the runtime is as on Lambda."""
    application = read(tmp_path, f"{SAM}Resources:\n{function('CodeUri: .').replace(HERE, 'python3.9')}")
    assert application.functions[0].runtime == "python3.9"
    assert told(application) == [f"F: runs on {HERE} here, not on python3.9"]


def test_properties_without_effect_are_told_unless_nobody_could_miss_them(tmp_path: Path) -> None:
    """Tags and permissions are left out in silence, a network and a snapshot are not."""
    quiet = "Tags: {a: b}, Policies: [AWSLambdaExecute], Tracing: Active, Description: x, Architectures: [arm64]"
    loud = "VpcConfig: {SubnetIds: [s], SecurityGroupIds: [g]}, SnapStart: {ApplyOn: PublishedVersions}"
    application = read(
        tmp_path, f"{SAM}Resources:\n{function(f'{quiet}, SnapStart: {{ApplyOn: None}}', name='A')}{function(loud)}"
    )
    assert sorted(told(application)) == [
        "F: SnapStart has no effect here",
        "F: VpcConfig has no effect here",
    ]


def test_a_dead_letter_queue_is_read(tmp_path: Path) -> None:
    """As SAM writes it."""
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    text = f"{SAM}Resources:\n{function(f'DeadLetterQueue: {{Type: SQS, TargetArn: {queue!r}}}')}"
    application = read(tmp_path, text)
    assert application.functions[0].dead_letter == queue
    assert told(application) == []


def test_invoke_settings_are_read_in_both_forms(tmp_path: Path) -> None:
    """Retries, age, and destinations that are functions, queues or topics; an event bus is told."""
    application = read(
        tmp_path,
        f"{SAM}Resources:\n"
        + function(
            "EventInvokeConfig: {MaximumRetryAttempts: 1, DestinationConfig: "
            "{OnSuccess: {Type: SNS, Destination: !Ref T}, OnFailure: {Type: SQS, Destination: !GetAtt Q.Arn}}}"
        )
        + function("ReservedConcurrentExecutions: 0", name="G")
        + """
  Q: {Type: AWS::SQS::Queue}
  T: {Type: AWS::SNS::Topic}
  Settings:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref G
      Qualifier: $LATEST
      MaximumEventAgeInSeconds: 60
      DestinationConfig:
        OnSuccess: {Destination: "arn:aws:events:us-east-1:123456789012:event-bus/default"}
        OnFailure: {Destination: !GetAtt F.Arn}
""",
    )
    found = functions(application)
    assert (found["F"].max_retries, found["F"].max_event_age_s) == (1, 21600)
    assert found["F"].on_success == "arn:aws:sns:us-east-1:123456789012:local-T"
    assert found["F"].on_failure == "arn:aws:sqs:us-east-1:123456789012:local-Q"
    assert (found["G"].reserved_concurrency, found["G"].max_retries, found["G"].max_event_age_s) == (0, 2, 60)
    assert (found["G"].on_failure, found["G"].on_success) == ("F", None)
    assert told(application) == [
        "Settings: OnSuccess is a function, a queue or a topic here; "
        "nothing is sent to arn:aws:events:us-east-1:123456789012:event-bus/default"
    ]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("Timeout: 901", "F: Timeout is 901, not from 1 to 900"),
        ("MemorySize: 64", "F: MemorySize is 64, not from 128 to 10240"),
        ("Timeout: soon", "F: Timeout must be a whole number"),
        ("EventInvokeConfig: {MaximumRetryAttempts: 3}", "MaximumRetryAttempts is 3, not from 0 to 2"),
        ("Environment: {Variables: {SETTINGS: {b: c}}}", "F: environment variable SETTINGS must be a string"),
        ("Environment: {Variables: {NAME: !Ref Nobody}}", "Nobody"),
        ("Environment: {Variables: {MY-NAME: x, 'N': y}}", "F: environment variable MY-NAME, N: a name has a letter"),
        ("Environment: {Variables: {AWS_REGION: x}}", "F: environment variable AWS_REGION is Lambda's own"),
        ("Envrionment: {}", "Envrionment"),
        ("CodeUri: nowhere", "F: there is no folder nowhere"),
    ],
)
def test_what_aws_would_refuse_is_one_line(tmp_path: Path, properties: str, said: str) -> None:
    """It names the function and the property."""
    with pytest.raises(TemplateError, match=said) as error:
        read(tmp_path, f"{SAM}Resources:\n{function(properties)}")
    assert "\n" not in str(error.value)


def test_values_of_variables_are_strings_as_cloudformation_makes_them(tmp_path: Path) -> None:
    """Booleans are `true` and `false`, numbers and dates are as written."""
    variables = "FLAG: yes, 'OFF': off, LIMIT: 3, SHARE: 1.5, SINCE: 2024-01-31"
    text = f"{SAM}Resources:\n{function(f'Environment: {{Variables: {{{variables}}}}}')}"
    assert read(tmp_path, text).functions[0].environment == {
        "FLAG": "true",
        "OFF": "false",
        "LIMIT": "3",
        "SHARE": "1.5",
        "SINCE": "2024-01-31",
    }


def test_events_of_other_services_are_named(tmp_path: Path) -> None:
    """Queues, topics, tables, buckets and HTTP APIs as sources of events: the function runs, nothing calls it."""
    application = read(
        tmp_path,
        f"""{SAM}Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: {HERE}
      Handler: app.handler
      CodeUri: .
      Events:
        Queue: {{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn}}}}
        Rest: {{Type: Api, Properties: {{Path: /x, Method: get}}}}
        Http: {{Type: HttpApi}}
        Bus: {{Type: EventBridgeRule, Properties: {{Pattern: {{source: [x]}}}}}}
        Clock: {{Type: Schedule, Properties: {{Schedule: "cron(0 12 * * ? *)", Input: "1"}}}}
        Later: {{Type: ScheduleV2, Properties: {{ScheduleExpression: "at(2030-01-01T00:00:00)"}}}}
        Local:
          Type: ScheduleV2
          Properties: {{ScheduleExpression: "cron(0 8 ? * 2-6 *)", ScheduleExpressionTimezone: Europe/Berlin}}
  Q: {{Type: AWS::SQS::Queue}}
""",
    )
    said = told(application)
    assert "AWS::Lambda::EventSourceMapping: not run here (FQueue)" in said
    assert "AWS::ApiGateway::RestApi: not run here (ServerlessRestApi)" in said
    assert "ServerlessHttpApi: an HTTP API does not run here, only WebSocket APIs do" in said
    assert "FBus: events are not matched here; only schedules run" in said
    assert "FLater: only rate(...) and cron(...) schedules run here, not at(2030-01-01T00:00:00)" in said
    assert [(each.cron, each.timezone, each.payload) for each in application.schedules] == [
        ("0 12 * * ? *", "UTC", "1"),
        ("0 8 ? * 2-6 *", "Europe/Berlin", None),
    ]


def test_a_cron_expression_that_eventbridge_refuses_is_one_line(tmp_path: Path) -> None:
    """The rule is named."""
    events = 'Events: {E: {Type: Schedule, Properties: {Schedule: "cron(0 12 * * *)"}}}'
    with pytest.raises(TemplateError, match=r"FE: .* has 5 fields, not 6"):
        read(tmp_path, f"{SAM}Resources:\n{function(events)}")


def test_a_parameter_from_parameter_store_is_told(tmp_path: Path) -> None:
    """Nothing is looked up; the name stands for the value."""
    application = read(
        tmp_path,
        f"{SAM}Parameters: {{P: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}}}}\n"
        f"Resources:\n{function('Environment: {Variables: {NAME: !Ref P}}')}",
    )
    assert application.functions[0].environment == {"NAME": "/a/b"}
    assert told(application) == [
        "parameter P: nothing is read from Parameter Store; the parameter's own name stands for its value"
    ]


def test_what_is_not_known_here_stands_as_a_text(tmp_path: Path) -> None:
    """An imported value and an attribute of a resource that does not run: told once, and the function runs."""
    variables = "V1: !ImportValue net-vpc, V2: !GetAtt Pool.ProviderName, V3: !ImportValue net-vpc"
    application = read(
        tmp_path,
        f"{SAM}Resources:\n  Pool: {{Type: AWS::Cognito::UserPool}}\n"
        + function(f"Environment: {{Variables: {{{variables}}}}}"),
    )
    assert application.functions[0].environment == {"V1": "net-vpc", "V2": "Pool.ProviderName", "V3": "net-vpc"}
    assert told(application) == [
        "AWS::Cognito::UserPool: not run here (Pool)",
        "Fn::ImportValue net-vpc is not known here: 'net-vpc' stands for it",
        "Fn::GetAtt Pool.ProviderName is not known here: 'Pool.ProviderName' stands for it",
    ]
