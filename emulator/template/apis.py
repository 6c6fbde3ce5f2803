"""The WebSocket APIs of a resolved template.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emulator.contract import ApiSpec, RouteSpec
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, as_list, as_text

_URI = re.compile(r"/functions/arn:[^/]*:function:([^:/]+)(?::[^/]+)?/invocations")


@dataclass
class Apis:
    """Reads the APIs; gathers what is not supported in `unsupported`."""

    resolver: Resolver
    unsupported: list[str] = field(default_factory=list)

    def read(self) -> tuple[ApiSpec, ...]:
        """One specification for each stage of each WebSocket API."""
        found: list[ApiSpec] = []
        for logical_id in self.resolver.of_type("AWS::ApiGatewayV2::Api"):
            api = self.resolver.properties(logical_id)
            if api.get("ProtocolType") != "WEBSOCKET":
                self.unsupported.append(f"{logical_id}: only WebSocket APIs run here")
                continue
            api_id = self.resolver.name(logical_id)
            routes, sources = self._routes(api_id)
            found.extend(
                ApiSpec(
                    logical_id=logical_id,
                    stage=as_text(stage.get("StageName"), f"stage of {logical_id}"),
                    route_selection=as_text(api.get("RouteSelectionExpression"), f"route selection of {logical_id}"),
                    routes=routes,
                    identity_sources=sources,
                    api_id=api_id,
                )
                for stage in self._of_api("AWS::ApiGatewayV2::Stage", api_id).values()
            )
        return tuple(found)

    def _of_api(self, kind: str, api_id: str) -> dict[str, Object]:
        """Properties of an API's resources of a kind, by what `Ref` of them gives."""
        every = {
            self.resolver.text({"Ref": logical_id}, logical_id): self.resolver.properties(logical_id)
            for logical_id in self.resolver.of_type(kind)
        }
        return {reference: properties for reference, properties in every.items() if properties.get("ApiId") == api_id}

    def _routes(self, api_id: str) -> tuple[tuple[RouteSpec, ...], tuple[str, ...]]:
        integrations = self._of_api("AWS::ApiGatewayV2::Integration", api_id)
        authorizers = self._of_api("AWS::ApiGatewayV2::Authorizer", api_id)
        routes: list[RouteSpec] = []
        sources: tuple[str, ...] = ()
        for properties in self._of_api("AWS::ApiGatewayV2::Route", api_id).values():
            key = as_text(properties.get("RouteKey"), "RouteKey")
            target = as_text(properties.get("Target", ""), f"target of route {key}").removeprefix("integrations/")
            function = self._function(integrations.get(target, {}).get("IntegrationUri"))
            if function is None:
                self.unsupported.append(f"route {key}: only Lambda proxy integrations run here")
                continue
            if "RouteResponseSelectionExpression" in properties:
                self.unsupported.append(f"route {key}: route responses are not sent")
            authorizer = None
            kind = properties.get("AuthorizationType", "NONE")
            if kind == "CUSTOM":
                used = authorizers.get(as_text(properties.get("AuthorizerId"), f"authorizer of {key}"), {})
                authorizer = self._function(used.get("AuthorizerUri"))
                sources = tuple(as_text(each, "IdentitySource") for each in as_list(used.get("IdentitySource"), key))
            elif kind != "NONE":
                self.unsupported.append(f"route {key}: authorization {kind} is not checked")
            routes.append(RouteSpec(route_key=key, function=function, authorizer=authorizer))
        return tuple(routes), sources

    @staticmethod
    def _function(uri: Json) -> str | None:
        match = _URI.search(uri) if isinstance(uri, str) else None
        return None if match is None else match[1]
