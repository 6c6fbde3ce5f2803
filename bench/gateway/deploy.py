"""Creates the echo's function and WebSocket API on a peer that takes AWS's own API calls."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

_READY_S = 30.0
ROUTES = ("$connect", "$disconnect", "$default")


def deploy(url: str, source: Path) -> str:
    """Returns the path of the stage's WebSocket. Raises what boto3 raises, and `TimeoutError`."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30, region_name="us-east-1")
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    gateway = session.client("apigatewayv2", endpoint_url=url, config=config)
    functions = session.client("lambda", endpoint_url=url, config=config)
    api = gateway.create_api(Name="echo", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    stage = f"/_aws/execute-api/{api}/live"
    function = functions.create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/echo",
        Handler="app.handler",
        Code={"ZipFile": _zipped(source)},
        MemorySize=1024,
        Timeout=29,
        Environment={"Variables": {"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"{url}{stage}"}},
    )["FunctionArn"]
    invocations = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationMethod="POST", IntegrationUri=invocations
    )["IntegrationId"]
    for route in ROUTES:
        gateway.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration}")
    deployment = gateway.create_deployment(ApiId=api)["DeploymentId"]
    gateway.create_stage(ApiId=api, StageName="live", DeploymentId=deployment)
    ends = time.monotonic() + _READY_S
    while functions.get_function_configuration(FunctionName="echo")["State"] != "Active":
        if time.monotonic() > ends:
            raise TimeoutError("the function did not become active")
        time.sleep(0.02)
    return stage


def _zipped(source: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.write(source, source.name)
    return archive.getvalue()
