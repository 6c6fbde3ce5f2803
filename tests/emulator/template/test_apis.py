"""APIs written with the plain API Gateway resources, in the ways in which people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.contract import Application, RouteSpec, Throttle
from emulator.template import TemplateError
from tests.emulator.template.support import FUNCTIONS, SAM, read, told

API = """
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
"""
STAGE = """
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: prod, AutoDeploy: true}
"""
# One integration for each of the forms of its address.
INTEGRATIONS = """
  OpenIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      Description: Connecting
      IntegrationType: AWS_PROXY
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Open.Arn}/invocations
  AliasIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !GetAtt Api.ApiId
      IntegrationType: AWS_PROXY
      TimeoutInMillis: 500
      IntegrationUri:
        Fn::Sub:
          - arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Target}/invocations
          - {Target: !Ref Send.Alias}
  JoinedIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: {Ref: Api}
      IntegrationType: AWS_PROXY
      IntegrationUri:
        Fn::Join:
          - ""
          - - "arn:aws:apigateway:"
            - !Ref AWS::Region
            - ":lambda:path/2015-03-31/functions/"
            - !GetAtt [Send, Arn]
            - /invocations
  LiteralIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub >-
        arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Send}:live/invocations
"""
ROUTES = """
  OpenRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      AuthorizationType: NONE
      OperationName: OpenRoute
      Target: !Join [/, [integrations, !Ref OpenIntegration]]
  AliasRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: alias, Target: !Sub "integrations/${AliasIntegration}"}
  JoinedRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: joined
      Target: {"Fn::Sub": ["integrations/${Which}", {Which: !Ref JoinedIntegration}]}
  LiteralRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: literal, Target: !Sub "integrations/${LiteralIntegration}"}
"""


@pytest.fixture(autouse=True)
def sources(tmp_path: Path) -> None:
    """The code of the functions."""
    (tmp_path / "src").mkdir()


def api_of(folder: Path, *parts: str) -> Application:
    """The application of these resources with the functions and the API above."""
    return read(folder, f"{SAM}Resources:{FUNCTIONS}{API}{''.join(parts)}")


def test_every_form_of_reference_leads_to_its_function(tmp_path: Path) -> None:
    """Ref, Sub, Join, an alias, a literal ARN: the routes are those of the API, and nothing is left to tell."""
    application = api_of(tmp_path, INTEGRATIONS, ROUTES, STAGE)
    (api,) = application.apis
    assert api.routes == (
        RouteSpec("$connect", "Open", None, operation="OpenRoute"),
        RouteSpec("alias", "Send", None, timeout_s=0.5),
        RouteSpec("joined", "Send", None),
        RouteSpec("literal", "Send", None),
    )
    assert told(application) == []


def test_stages_share_the_api_and_have_their_own_settings(tmp_path: Path) -> None:
    """Variables, throttling of the stage and of single routes; several deployments make no difference."""
    stages = """
  One: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: [OpenRoute], Properties: {ApiId: !Ref Api}}
  Two: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: Live, Properties: {ApiId: !Ref Api, StageName: live}}
  Test:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: test
      DeploymentId: !Ref One
      StageVariables: {table: t1, size: 3}
      DefaultRouteSettings: {ThrottlingRateLimit: 10.5, ThrottlingBurstLimit: 20, LoggingLevel: INFO}
      RouteSettings: {alias: {ThrottlingRateLimit: 1}}
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: live, AccessLogSettings: {Format: x}}
"""
    application = api_of(tmp_path, INTEGRATIONS, ROUTES, stages)
    test, live = application.apis
    assert (test.stage, live.stage, test.api_id) == ("test", "live", live.api_id)
    assert (test.stage_variables, live.stage_variables) == ({"table": "t1", "size": "3"}, {})
    assert test.throttling.of("$default") == Throttle(10.5, 20)
    assert test.throttling.of("alias") == Throttle(1.0, 20)
    assert live.throttling.of("alias") == Throttle()
    assert told(application) == ["Live: no access log is written here"]


def test_a_stage_variable_chooses_the_function(tmp_path: Path) -> None:
    """Each stage calls the function that its own variable names."""
    parts = """
  Chosen:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub >-
        arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${!stageVariables.which}/invocations
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Chosen}"}
  A:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: a, AutoDeploy: true, StageVariables: {which: !Ref Open}}
  B:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: b, AutoDeploy: true, StageVariables: {which: !Ref Send}}
"""
    assert [api.routes[0].function for api in api_of(tmp_path, parts).apis] == ["Open", "Send"]


AUTHORIZER = """
  Check:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: check
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Send.Arn}/invocations
      IdentitySource: [route.request.header.Authorization, stageVariables.key]
  OpenRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Check
      Target: !Sub integrations/${OpenIntegration}
"""


def test_connect_has_its_authorizer(tmp_path: Path) -> None:
    """The function of a REQUEST authorizer, and what it is asked with."""
    (api,) = api_of(tmp_path, INTEGRATIONS, AUTHORIZER, STAGE).apis
    assert api.routes == (RouteSpec("$connect", "Open", "Send"),)
    assert api.identity_sources == ("route.request.header.Authorization", "stageVariables.key")


def test_a_two_way_route_has_both_the_expression_and_the_response(tmp_path: Path) -> None:
    """One without the other sends nothing back, and that is told."""
    parts = """
  Both:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: both
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${OpenIntegration}
  BothResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Both, RouteResponseKey: $default}
  Expression:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: expression
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${OpenIntegration}
  Response:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: response, Target: !Sub "integrations/${OpenIntegration}"}
  ResponseResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Response, RouteResponseKey: $default}
  Passing:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref Api, IntegrationId: !Ref OpenIntegration, IntegrationResponseKey: $default}
"""
    application = api_of(tmp_path, INTEGRATIONS, parts, STAGE)
    (api,) = application.apis
    assert {route.route_key: route.response for route in api.routes} == {
        "both": True,
        "expression": False,
        "response": False,
    }
    assert told(application) == [
        "Api: route expression: it has no AWS::ApiGatewayV2::RouteResponse, so no answer is sent back, as on AWS",
        "Api: route response: it has no RouteResponseSelectionExpression, so no answer is sent back, as on AWS",
    ]


MOCK = """
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK, RequestTemplates: {"200": '{"statusCode": 200}'}}
  MockRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: ping, Target: !Sub "integrations/${Mock}"}
"""


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (
            [MOCK, STAGE],
            "Api: route ping: an integration of type MOCK does not run here; the route is left out",
        ),
        ([], "Api: it has no stage, so nothing of it runs"),
        (
            ["\n  Bare: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: bare}}"],
            "Bare: it has neither AutoDeploy nor a deployment; on AWS nothing is deployed to it",
        ),
        (
            [STAGE, "\n  Web: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: web, ProtocolType: HTTP}}"],
            "Web: an HTTP API does not run here, only WebSocket APIs do",
        ),
        (
            [
                STAGE,
                "\n  Far: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: abc, StageName: x, AutoDeploy: true}}",
            ],
            "Far: its API abc is not in the template",
        ),
        (
            [STAGE, INTEGRATIONS, ROUTES.replace("OperationName: OpenRoute", "ApiKeyRequired: true")],
            "Api: route $connect: API keys are not asked for here",
        ),
        (
            [STAGE, INTEGRATIONS, ROUTES.replace("AuthorizationType: NONE", "AuthorizationType: AWS_IAM")],
            "Api: route $connect: authorization AWS_IAM is not checked here: anybody may connect",
        ),
        (
            [
                STAGE,
                INTEGRATIONS,
                ROUTES.replace("OperationName: OpenRoute", "RequestParameters: {route.request.querystring.a: {}}"),
            ],
            "Api: route $connect: RequestParameters has no effect here",
        ),
        (
            [
                STAGE,
                INTEGRATIONS.replace("Description: Connecting", "ContentHandlingStrategy: CONVERT_TO_BINARY"),
                ROUTES,
            ],
            "OpenIntegration: ContentHandlingStrategy has no effect here",
        ),
        (
            [
                STAGE,
                "\n  Name: {Type: AWS::ApiGatewayV2::DomainName, Properties: {DomainName: ws.example.org}}",
            ],
            "AWS::ApiGatewayV2::DomainName: not run here (Name)",
        ),
    ],
)
def test_what_does_not_run_is_one_line(tmp_path: Path, parts: list[str], line: str) -> None:
    """Each is named, with the resource or route it is of."""
    assert line in told(api_of(tmp_path, *parts))


def test_a_missing_permission_is_told(tmp_path: Path) -> None:
    """The call works here; on AWS it would not."""
    functions = FUNCTIONS.replace("Principal: apigateway.amazonaws.com", "Principal: sns.amazonaws.com")
    application = read(tmp_path, f"{SAM}Resources:{functions}{API}{INTEGRATIONS}{ROUTES}{STAGE}")
    assert [line for line in told(application) if "$connect" in line] == [
        "Api: route $connect: on AWS the call of Open fails, "
        "as no AWS::Lambda::Permission lets apigateway.amazonaws.com invoke it for this API"
    ]


@pytest.mark.parametrize(
    ("source", "lets_in"),
    [
        ("arn:aws:execute-api:eu-west-1:111122223333:${Api}/*/$connect", True),
        ("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*/*", True),
        ("arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Other}/*", False),
        ("arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:abcdef1234/*", False),
        ("arn:aws:events:${AWS::Region}:${AWS::AccountId}:${Api}/*", False),
    ],
)
def test_a_permission_may_be_for_another_api(tmp_path: Path, source: str, lets_in: bool) -> None:
    """Its SourceArn, with the wildcards of it, says for which; without one it is for every API."""
    principal = "Principal: apigateway.amazonaws.com"
    functions = FUNCTIONS.replace(principal, f'{principal}, SourceArn: !Sub "{source}"')
    other = API.replace("Api:", "Other:", 1)
    application = read(tmp_path, f"{SAM}Resources:{functions}{API}{other}{INTEGRATIONS}{ROUTES}{STAGE}")
    assert any("route $connect: on AWS the call of Open fails" in line for line in application.notes) != lets_in


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            [INTEGRATIONS.replace("500", "49"), ROUTES, STAGE],
            "Api: TimeoutInMillis of route alias is 49, not from 50 to",
        ),
        ([INTEGRATIONS.replace("500", "30000"), ROUTES, STAGE], "is 30000, not from 50 to 29000"),
        (
            [INTEGRATIONS, ROUTES.replace("RouteKey: joined", "RouteKey: alias"), STAGE],
            "Api: route alias is there twice",
        ),
        ([INTEGRATIONS, AUTHORIZER.replace("!Ref Check", "other"), STAGE], "Api: route .connect has no authorizer"),
        ([INTEGRATIONS, AUTHORIZER.replace("REQUEST", "JWT"), STAGE], "must be of type REQUEST"),
        (
            [INTEGRATIONS, ROUTES.replace("!Ref OpenIntegration", "!Ref Nobody"), STAGE],
            "OpenRoute: Ref: there is no Nobody",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused(tmp_path: Path, parts: list[str], said: str) -> None:
    """One line that names the resource."""
    with pytest.raises(TemplateError, match=said) as error:
        api_of(tmp_path, *parts)
    assert "\n" not in str(error.value)


def test_a_resource_whose_condition_is_false_is_left_out(tmp_path: Path) -> None:
    """The route, its integration and its function with it, while the rest runs."""
    text = f"""{SAM}
Parameters: {{Kind: {{Type: String, Default: small}}}}
Conditions: {{Big: !Equals [!Ref Kind, big]}}
Resources:{FUNCTIONS}{API}{STAGE}{INTEGRATIONS}{ROUTES}
"""
    for name in ("AliasRoute", "AliasIntegration"):
        text = text.replace(f"  {name}:\n", f"  {name}:\n    Condition: Big\n")
    small = read(tmp_path, text).apis[0]
    big = read(tmp_path, text, parameters={"Kind": "big"}).apis[0]
    assert "alias" not in [route.route_key for route in small.routes]
    assert "alias" in [route.route_key for route in big.routes]
