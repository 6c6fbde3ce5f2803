"""Physical names, ids and ARNs of the resources of a template, made up in the forms that AWS uses."""

import base64
import hashlib
from dataclasses import dataclass

from emulator.secret_names import secret_suffix

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True)
class Place:
    """The account, region and stack that the emulator pretends to be."""

    region: str = REGION
    account_id: str = ACCOUNT_ID
    stack: str = "local"

    def pseudo(self, name: str) -> str | list[str] | None:
        """The value of a pseudo parameter, None if there is none of that name.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
        """
        values: dict[str, str | list[str]] = {
            "AWS::AccountId": self.account_id,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:{self.account_id}:stack/{self.stack}/emulator",
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        return values.get(name)

    def arn(self, service: str, rest: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{rest}"


# The property that names a resource of a type; where absent, CloudFormation makes up a name.
NAME_PROPERTIES = {
    "AWS::ApiGatewayV2::Stage": "StageName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::SecretsManager::Secret": "Name",
}


def default_name(kind: str, logical_id: str, place: Place) -> str:
    """A name for a resource that the template does not name. A function's is its logical id, as with `sam local`."""
    if kind == "AWS::Lambda::Function":
        return logical_id
    if kind == "AWS::ApiGatewayV2::Api":
        return api_id(f"{place.stack}/{logical_id}")
    if kind == "AWS::S3::Bucket":
        return f"{place.stack}-{logical_id}".lower()
    return f"{place.stack}-{logical_id}"


def api_id(seed: str) -> str:
    """Ten lower-case letters and digits, the same for the same seed."""
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode().lower()[:10]


def reference(kind: str, name: str, place: Place) -> str:
    """What `Ref` of a resource gives.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
    """
    if kind == "AWS::SQS::Queue":
        return f"https://sqs.{place.region}.amazonaws.com/{place.account_id}/{name}"
    if kind in {"AWS::SNS::Topic", "AWS::Lambda::LayerVersion", "AWS::SecretsManager::Secret"}:
        return arn(kind, name, place)
    return name


def arn(kind: str, name: str, place: Place) -> str:
    """The ARN of a resource."""
    if kind == "AWS::S3::Bucket":
        return f"arn:aws:s3:::{name}"
    if kind == "AWS::IAM::Role":
        return f"arn:aws:iam::{place.account_id}:role/{name}"
    forms = {
        "AWS::DynamoDB::Table": ("dynamodb", f"table/{name}"),
        "AWS::Lambda::Function": ("lambda", f"function:{name}"),
        "AWS::Lambda::LayerVersion": ("lambda", f"layer:{name}:1"),
        "AWS::Logs::LogGroup": ("logs", f"log-group:{name}:*"),
        "AWS::SNS::Topic": ("sns", name),
        "AWS::SQS::Queue": ("sqs", name),
        "AWS::SSM::Parameter": ("ssm", f"parameter/{name.lstrip('/')}"),
        "AWS::SecretsManager::Secret": ("secretsmanager", f"secret:{name}-{secret_suffix(name)}"),
    }
    service, rest = forms.get(kind, (kind.split("::")[1].lower(), name))
    return place.arn(service, rest)


def attribute(kind: str, name: str, attribute_name: str, place: Place) -> str | None:
    """What `Fn::GetAtt` gives, None if the emulator does not know the attribute."""
    if attribute_name in {"Arn", "TopicArn"}:
        return arn(kind, name, place)
    known = {
        ("AWS::ApiGatewayV2::Api", "ApiId"): name,
        ("AWS::ApiGatewayV2::Authorizer", "AuthorizerId"): name,
        ("AWS::ApiGatewayV2::Deployment", "DeploymentId"): name,
        ("AWS::ApiGatewayV2::Integration", "IntegrationId"): name,
        ("AWS::ApiGatewayV2::Route", "RouteId"): name,
        ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): f"wss://{name}.execute-api.{place.region}.amazonaws.com",
        ("AWS::S3::Bucket", "DomainName"): f"{name}.s3.amazonaws.com",
        ("AWS::S3::Bucket", "RegionalDomainName"): f"{name}.s3.{place.region}.amazonaws.com",
        ("AWS::SQS::Queue", "QueueName"): name,
        ("AWS::SQS::Queue", "QueueUrl"): reference("AWS::SQS::Queue", name, place),
        ("AWS::SNS::Topic", "TopicName"): name,
        ("AWS::SecretsManager::Secret", "Id"): arn(kind, name, place),
        ("AWS::Lambda::LayerVersion", "LayerVersionArn"): arn(kind, name, place),
    }
    return known.get((kind, attribute_name))
