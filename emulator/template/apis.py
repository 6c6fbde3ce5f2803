"""The WebSocket APIs of a resolved template, one specification for each stage.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
"""

from dataclasses import dataclass, field

from emulator.contract import ApiSpec, Throttle, Throttling
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.routes import Routes
from emulator.template.values import Json, Object, as_float, as_int, as_object, as_text

_PARTS = (
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
)
# Of these, loggers and metrics are left out in silence.
_ROUTE_SETTINGS = frozenset(
    {"DataTraceEnabled", "DetailedMetricsEnabled", "LoggingLevel", "ThrottlingBurstLimit", "ThrottlingRateLimit"}
)


@dataclass
class Apis:
    """Reads the APIs; gathers what is left out in `unsupported`, what differs from AWS in `notes`."""

    resolver: Resolver
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self) -> tuple[ApiSpec, ...]:
        """One specification for each stage of each WebSocket API."""
        found: list[ApiSpec] = []
        known: set[str] = set()
        for logical_id in self.resolver.of_type("AWS::ApiGatewayV2::Api"):
            api = self.resolver.properties(logical_id)
            known.add(self.resolver.name(logical_id))
            if api.get("ProtocolType") != "WEBSOCKET":
                self.unsupported.append(f"{logical_id}: an HTTP API does not run here, only WebSocket APIs do")
                continue
            self.notes += left_out(logical_id, "AWS::ApiGatewayV2::Api", api)
            found += self._stages(logical_id, api)
        self._strays(known)
        return tuple(found)

    def _stages(self, logical_id: str, api: Object) -> list[ApiSpec]:
        api_id = self.resolver.name(logical_id)
        routes = Routes(self.resolver, logical_id=logical_id, api_id=api_id)
        found: list[ApiSpec] = []
        for stage_id in self.resolver.of_type("AWS::ApiGatewayV2::Stage"):
            stage = self.resolver.properties(stage_id)
            if stage.get("ApiId") != api_id:
                continue
            name = as_text(stage.get("StageName"), f"{stage_id}: StageName")
            variables = as_object(stage.get("StageVariables"), f"{stage_id}: StageVariables")
            texts = {key: as_text(value, f"{stage_id}: stage variable {key}") for key, value in variables.items()}
            self._tell_of_stage(stage_id, stage)
            specs, sources = routes.read(texts)
            found.append(
                ApiSpec(
                    logical_id=logical_id,
                    stage=name,
                    route_selection=as_text(
                        api.get("RouteSelectionExpression"), f"{logical_id}: RouteSelectionExpression"
                    ),
                    routes=specs,
                    identity_sources=sources,
                    api_id=api_id,
                    stage_variables=texts,
                    throttling=self._throttling(stage_id, stage),
                )
            )
        if not found:
            self.unsupported.append(f"{logical_id}: it has no stage, so nothing of it runs")
        self.unsupported += routes.unsupported
        self.notes += routes.notes
        return found

    def _tell_of_stage(self, stage_id: str, stage: Object) -> None:
        self.notes += left_out(
            stage_id, "AWS::ApiGatewayV2::Stage", {key: stage[key] for key in stage if key != "AccessLogSettings"}
        )
        if "AccessLogSettings" in stage:
            self.notes.append(f"{stage_id}: no access log is written here")
        if stage.get("AutoDeploy") not in (True, "true") and "DeploymentId" not in stage and not self._deployed(stage):
            self.notes.append(
                f"{stage_id}: it has neither AutoDeploy nor a deployment; on AWS nothing is deployed to it"
            )

    def _deployed(self, stage: Object) -> bool:
        """Whether a deployment names the stage, instead of the stage a deployment."""
        every = (self.resolver.properties(each) for each in self.resolver.of_type("AWS::ApiGatewayV2::Deployment"))
        return any(all(each.get(name) == stage.get(name) for name in ("ApiId", "StageName")) for each in every)

    def _throttling(self, stage_id: str, stage: Object) -> Throttling:
        default = as_object(stage.get("DefaultRouteSettings"), f"{stage_id}: DefaultRouteSettings")
        settings = as_object(stage.get("RouteSettings"), f"{stage_id}: RouteSettings")
        return Throttling(
            default=self._throttle(stage_id, default),
            routes={
                key: self._throttle(stage_id, as_object(each, f"{stage_id}: {key}")) for key, each in settings.items()
            },
        )

    def _throttle(self, stage_id: str, settings: Object) -> Throttle:
        self.notes += [
            f"{stage_id}: {name} of the route settings has no effect here" for name in settings.keys() - _ROUTE_SETTINGS
        ]
        rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
        return Throttle(
            rate=None if rate is None else as_float(rate, f"{stage_id}: ThrottlingRateLimit"),
            burst=None if burst is None else as_int(burst, f"{stage_id}: ThrottlingBurstLimit"),
        )

    def _strays(self, known: set[str]) -> None:
        for kind in _PARTS:
            for logical_id in self.resolver.of_type(kind):
                api: Json = self.resolver.properties(logical_id).get("ApiId")
                if not isinstance(api, str) or api not in known:
                    self.unsupported.append(f"{logical_id}: its API {api} is not in the template")
