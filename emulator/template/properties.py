"""The properties of each resource type that runs here: those that are read, and those that may be left out quietly.

Any other property that a template sets is named in a line at the start, so none is ignored in silence.
"""

from dataclasses import dataclass

from emulator.template.values import Json, Object


@dataclass(frozen=True)
class Known:
    """The properties of a type: `read` by this package; `quiet`, left out without a word because nothing on one
    machine depends on them (tags, texts, permissions, encryption, metrics, tracing); any other is told."""

    read: frozenset[str]
    quiet: frozenset[str] = frozenset()


def _known(read: str, quiet: str = "") -> Known:
    return Known(frozenset(read.split()), frozenset(quiet.split()))


_KNOWN = {
    "AWS::ApiGatewayV2::Api": _known(
        "ProtocolType RouteSelectionExpression",
        "ApiKeySelectionExpression Description DisableSchemaValidation IpAddressType Name Tags Version",
    ),
    "AWS::ApiGatewayV2::Authorizer": _known(
        "ApiId AuthorizerType AuthorizerUri IdentitySource",
        "AuthorizerCredentialsArn AuthorizerPayloadFormatVersion Name",
    ),
    "AWS::ApiGatewayV2::Deployment": _known("ApiId", "Description StageName"),
    "AWS::ApiGatewayV2::Integration": _known(
        "ApiId CredentialsArn IntegrationType IntegrationUri TimeoutInMillis",
        "ConnectionType Description IntegrationMethod PassthroughBehavior PayloadFormatVersion",
    ),
    # A proxy integration's response passes as it is, so its integration responses say nothing more:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
    "AWS::ApiGatewayV2::IntegrationResponse": _known("ApiId IntegrationId", "IntegrationResponseKey"),
    "AWS::ApiGatewayV2::Route": _known(
        "ApiId ApiKeyRequired AuthorizationType AuthorizerId OperationName RouteKey RouteResponseSelectionExpression "
        "Target",
        "AuthorizationScopes",
    ),
    "AWS::ApiGatewayV2::RouteResponse": _known("ApiId RouteId RouteResponseKey"),
    "AWS::ApiGatewayV2::Stage": _known(
        "ApiId AutoDeploy DefaultRouteSettings DeploymentId RouteSettings StageName StageVariables",
        "Description Tags",
    ),
    "AWS::Lambda::Function": _known(
        "Code DeadLetterConfig Environment FunctionName Handler Layers LoggingConfig MemorySize PackageType "
        "ReservedConcurrentExecutions Runtime TenancyConfig Timeout",
        "Architectures CodeSigningConfigArn Description EphemeralStorage KmsKeyArn PublishToLatestPublished "
        "RecursiveLoop Role RuntimeManagementConfig Tags TracingConfig",
    ),
    "AWS::Lambda::LayerVersion": _known(
        "Content LayerName", "CompatibleArchitectures CompatibleRuntimes Description LicenseInfo"
    ),
    "AWS::Lambda::EventInvokeConfig": _known(
        "DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts", "Qualifier"
    ),
    "AWS::Lambda::Alias": _known("FunctionName Name", "Description FunctionVersion"),
    "AWS::Lambda::Version": _known("FunctionName", "CodeSha256 Description FunctionScalingConfig RuntimePolicy"),
    "AWS::Events::Rule": _known(
        "EventBusName ScheduleExpression State Targets", "Description Name RoleArn Tags"
    ),
    "AWS::Scheduler::Schedule": _known(
        "ScheduleExpression ScheduleExpressionTimezone State Target", "Description GroupName KmsKeyArn Name"
    ),
}  # fmt: skip


def left_out(logical_id: str, kind: str, properties: Object) -> list[str]:
    """One line for each property that is neither read nor quiet, unless its value says that it is off."""
    known = _KNOWN.get(kind)
    if known is None:
        return []
    return [
        f"{logical_id}: {name} has no effect here"
        for name, value in properties.items()
        if name not in known.read and name not in known.quiet and not _is_off(value)
    ]


def _is_off(value: Json) -> bool:
    return value is None or value is False or value in ("false", {}, [])
