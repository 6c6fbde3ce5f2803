"""APIs written with SAM's own resource for them."""

from __future__ import annotations

from pathlib import Path

from emulator.contract import RouteSpec, Throttle
from tests.emulator.template.support import FUNCTIONS, SAM, read, told


def test_a_websocketapi_takes_all_that_its_page_allows(tmp_path: Path) -> None:
    """Settings, variables, time-outs, operation names, functions by alias; one API with no stage name is `default`."""
    (tmp_path / "src").mkdir()
    application = read(
        tmp_path,
        f"""{SAM}Resources:{FUNCTIONS}
  Chat:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.kind
      StageVariables: {{a: b}}
      DefaultRouteSettings: {{ThrottlingBurstLimit: 7}}
      RouteSettings: {{send: {{ThrottlingRateLimit: 2}}}}
      DisableExecuteApiEndpoint: true
      Routes:
        $connect: {{FunctionArn: !GetAtt Open.Arn, OperationName: hello}}
        send: {{FunctionArn: !Ref Send.Alias, IntegrationTimeout: 5000, ApiKeyRequired: true}}
""",
    )
    (api,) = application.apis
    assert api.stage == "default"
    assert (api.route_selection, api.stage_variables) == ("$request.body.kind", {"a": "b"})
    assert api.throttling.of("send") == Throttle(2.0, 7)
    assert api.routes == (
        RouteSpec("$connect", "Open", None, operation="hello"),
        RouteSpec("send", "Send", None, timeout_s=5.0),
    )
    assert told(application) == [
        "Chat: DisableExecuteApiEndpoint has no effect here",
        "Chat: route send: API keys are not asked for here",
    ]
