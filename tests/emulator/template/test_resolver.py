"""Intrinsic functions."""

from __future__ import annotations

import pytest

from emulator.template.names import Place
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, TemplateError

TEMPLATE: Object = {
    "Mappings": {"Sizes": {"us-east-1": {"big": 3, "names": ["a", "b"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Kind"}, "blue"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    },
    "Resources": {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Sub": "${AWS::StackName}-x"}}},
        "Fn": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"StageName": "prod"}},
        "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Fn"}, "Name": "live"}},
        "First": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]}}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Egg": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Hen", "TopicName"]}}},
        "Hen": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Egg", "TopicName"]}}},
        "Absent": {"Type": "AWS::SQS::Queue", "Condition": "No", "Properties": {}},
    },
}


@pytest.fixture
def resolver() -> Resolver:
    """A resolver of the template above."""
    return Resolver(TEMPLATE, parameters={"Kind": "blue", "List": ["a", "b"]}, place=Place(stack="s"))


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Kind"}, "blue"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::NoValue"}, None),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Ref": "Table"}, "s-x"),
        ({"Ref": "Fn"}, "Fn"),
        ({"Ref": "Queue"}, "https://sqs.us-east-1.amazonaws.com/123456789012/q"),
        ({"Ref": "Topic"}, "arn:aws:sns:us-east-1:123456789012:s-Topic"),
        ({"Fn::GetAtt": ["Fn", "Arn"]}, "arn:aws:lambda:us-east-1:123456789012:function:Fn"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:aws:sqs:us-east-1:123456789012:q"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "arn:aws:dynamodb:us-east-1:123456789012:table/s-x"),
        ({"Fn::Sub": "${Table}/${Queue.QueueName}/${!Literal}/$"}, "s-x/q/${Literal}/$"),
        ({"Fn::Sub": ["${a}-${Kind}", {"a": {"Ref": "Table"}}]}, "s-x-blue"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Kind"}, 1, True]]}, "a-blue-1-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Fn::Split": [":", "x:y"]}]}, "y"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "big"]}, 3),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::FindInMap": ["Sizes", "us-east-1", "small", {"DefaultValue": "d"}]}, "d"),
        ({"Fn::FindInMap": ["Sizes", "eu-west-9", "big", {"DefaultValue": {"Ref": "Kind"}}]}, "blue"),
        ({"Fn::Length": [1, 2]}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Kind"}}}, '{"a":"blue"}'),
        ({"Ref": "Live"}, "arn:aws:lambda:us-east-1:123456789012:function:Fn:live"),
        ({"Fn::Sub": "https://x/${Stage}"}, "https://x/prod"),
        ({"Ref": "First"}, "arn:aws:lambda:us-east-1:123456789012:function:Fn:1"),
        ({"Fn::GetAtt": ["First", "Version"]}, "1"),
        ({"Condition": {"StringEquals": {}}}, {"Condition": {"StringEquals": {}}}),
    ],
)
def test_what_an_intrinsic_gives(resolver: Resolver, node: Json, value: Json) -> None:
    """Each function gives what CloudFormation documents for it."""
    assert resolver.value(node) == value


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Nobody"},
        {"Ref": "Absent"},
        {"Fn::GetAtt": ["Absent", "Arn"]},
        {"Fn::FindInMap": ["Sizes", "us-east-1", "small"]},
        {"Fn::Unheard": "x"},
        {"Fn::Join": ["x"]},
        {"Fn::Split": ["", "x"]},
        {"Fn::If": ["Yes", 1]},
        {"Fn::GetAtt": ["Fn"]},
        {"Fn::Not": []},
        {"Fn::Sub": ["x"]},
        {"Ref": "Egg"},
        {"Fn::Select": [2, ["a", "b"]]},
        {"Fn::If": ["Maybe", 1, 2]},
    ],
)
def test_what_cannot_be_resolved_is_named(resolver: Resolver, node: Json) -> None:
    """Unknown names and functions are errors, never empty strings."""
    with pytest.raises(TemplateError):
        resolver.value(node)


def test_a_resource_without_its_condition_is_not_there(resolver: Resolver) -> None:
    """A false condition removes the resource."""
    assert resolver.of_type("AWS::SQS::Queue") == ["Queue"]


def test_an_api_id_looks_like_one_and_stays(resolver: Resolver) -> None:
    """Ten lower-case letters and digits, the same in every run."""
    found = resolver.value({"Ref": "Api"})
    again = Resolver(TEMPLATE, parameters={"Kind": "red"}, place=Place(stack="s")).value({"Ref": "Api"})
    assert isinstance(found, str)
    assert len(found) == 10
    assert found.isalnum()
    assert found == found.lower() == again


@pytest.mark.parametrize(
    ("node", "value", "said"),
    [
        ({"Fn::GetAtt": ["Table", "StreamArn"]}, "Table.StreamArn", "Fn::GetAtt Table.StreamArn is not known here"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Kind}-vpc"}}, "blue-vpc", "Fn::ImportValue blue-vpc is not known here"),
        ("{{resolve:ssm:/a:1}}", "{{resolve:ssm:/a:1}}", "{{resolve:ssm:/a:1}} is not looked up here"),
        ({"Fn::Sub": "{{resolve:ssm:/${Kind}}}"}, "{{resolve:ssm:/blue}}", "{{resolve:ssm:/blue}} is not looked up"),
        ({"Fn::Join": ["", ["{{resolve", ":ssm:/a}}"]]}, "{{resolve:ssm:/a}}", "{{resolve:ssm:/a}} is not looked up"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2]}, None, "Fn::Cidr is not evaluated here"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, None, "Fn::Transform is not evaluated here"),
    ],
)
def test_a_value_that_nobody_knows_is_told(resolver: Resolver, node: Json, value: Json, said: str) -> None:
    """A text of its own stands for it, and one line says so, however often it is asked for."""
    assert [resolver.value(node), resolver.value(node)] == [value, value]
    (line,) = resolver.notes
    assert line.startswith(said)
