"""boto3's clients, made once per process. They hold connections and the function's own credentials, no user's data."""

from typing import TYPE_CHECKING

import boto3

from dayfly.aws.calls import client_config

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient


def dynamodb_client() -> "DynamoDBClient":
    """For the table."""
    return boto3.client("dynamodb", config=client_config())


def lambda_client() -> "LambdaClient":
    """For starting engines."""
    return boto3.client("lambda", config=client_config())


def management_client() -> "ApiGatewayManagementApiClient":
    """For posting. Its endpoint comes from `AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI`. It does not retry: the poster
    does, with the same frame."""
    return boto3.client("apigatewaymanagementapi", config=client_config(attempts=1))
