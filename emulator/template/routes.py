"""The routes of one WebSocket API of a resolved template, with their integrations, authorizers and responses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.contract import RouteSpec
from emulator.template.arns import function_name, invoked_function, may_be_of_api
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, TemplateError, as_float, as_list, as_text

_ROUTE = "AWS::ApiGatewayV2::Route"
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([^}]+)\}")
# https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
_SHORTEST_MS, _LONGEST_MS = 50, 29000


@dataclass
class Routes:
    """Reads the routes of the API `logical_id`.

    Gathers what is left out in `unsupported`, what differs from AWS in `notes`, each line once.
    """

    resolver: Resolver
    logical_id: str
    api_id: str
    _left_out: dict[str, None] = field(default_factory=dict)
    _noted: dict[str, None] = field(default_factory=dict)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """One line for each thing that is left out."""
        return tuple(self._left_out)

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each thing that differs from AWS."""
        return tuple(self._noted)

    def read(self, stage_variables: Mapping[str, str]) -> tuple[tuple[RouteSpec, ...], tuple[str, ...]]:
        """The routes as a stage with these variables has them, and the identity sources of the authorizer."""
        specs: dict[str, RouteSpec] = {}
        sources: tuple[str, ...] = ()
        integrations = self._parts("AWS::ApiGatewayV2::Integration")
        answered = self._answered()
        for reference, route in self._parts(_ROUTE).items():
            key = as_text(route.get("RouteKey"), f"{self.logical_id}: RouteKey")
            if key in specs:
                # CreateRoute answers ConflictException.
                raise TemplateError(f"{self.logical_id}: route {key} is there twice")
            self._tell_of_route(key, route)
            integration = self._integration(key, route, integrations)
            if integration is None:
                continue
            function = self._function(integration.get("IntegrationUri"), stage_variables)
            if function is None:
                self._leave_out(
                    key, f"its integration leads to no Lambda function: {integration.get('IntegrationUri')}"
                )
                continue
            if "CredentialsArn" not in integration:
                self._check_permission(f"route {key}", function)
            authorizer: str | None = None
            if route.get("AuthorizationType", "NONE") != "NONE":
                authorizer, named = self._authorizer(key, route, stage_variables)
                sources = named if authorizer is not None else sources
            operation = route.get("OperationName")
            specs[key] = RouteSpec(
                route_key=key,
                function=function,
                authorizer=authorizer,
                response=self._responds(key, route, has_response=reference in answered),
                timeout_s=self._timeout_s(key, integration),
                operation=None if operation is None else as_text(operation, f"OperationName of route {key}"),
            )
        return tuple(specs.values()), sources

    def _leave_out(self, key: str, text: str) -> None:
        self._left_out[f"{self.logical_id}: route {key}: {text}"] = None

    def _note(self, key: str, text: str) -> None:
        self._noted[f"{self.logical_id}: route {key}: {text}"] = None

    def _parts(self, kind: str) -> dict[str, Object]:
        """Properties of the API's resources of a kind, by what `Ref` of them gives."""
        found: dict[str, Object] = {}
        for logical_id in self.resolver.of_type(kind):
            properties = self.resolver.properties(logical_id)
            if properties.get("ApiId") == self.api_id:
                found[self.resolver.text({"Ref": logical_id}, logical_id)] = properties
                if kind != _ROUTE:
                    self._noted.update(dict.fromkeys(left_out(logical_id, kind, properties)))
        return found

    def _tell_of_route(self, key: str, route: Object) -> None:
        for line in left_out(f"{self.logical_id}: route {key}", _ROUTE, route):
            self._noted[line] = None
        if route.get("ApiKeyRequired") in (True, "true"):
            self._note(key, "API keys are not asked for here")

    def _integration(self, key: str, route: Object, integrations: Mapping[str, Object]) -> Object | None:
        target = as_text(route.get("Target", ""), f"target of route {key}")
        integration = integrations.get(target.removeprefix("integrations/"))
        if integration is None or not target.startswith("integrations/"):
            self._leave_out(key, f"its target {target or 'is missing and'} leads to no integration of this API")
            return None
        kind = integration.get("IntegrationType")
        if kind != "AWS_PROXY":
            self._leave_out(key, f"an integration of type {kind} does not run here; the route is left out")
            return None
        return integration

    def _function(self, uri: Json, stage_variables: Mapping[str, str]) -> str | None:
        if not isinstance(uri, str):
            return None
        return invoked_function(_STAGE_VARIABLE.sub(lambda match: stage_variables.get(match[1], match[0]), uri))

    def _timeout_s(self, key: str, integration: Object) -> float | None:
        given = integration.get("TimeoutInMillis")
        if given is None:
            return None
        milliseconds = as_float(given, f"TimeoutInMillis of route {key}")
        if not _SHORTEST_MS <= milliseconds <= _LONGEST_MS:
            raise TemplateError(
                f"{self.logical_id}: TimeoutInMillis of route {key} is {milliseconds:g}, "
                f"not from {_SHORTEST_MS} to {_LONGEST_MS}"
            )
        return milliseconds / 1000

    def _authorizer(
        self, key: str, route: Object, stage_variables: Mapping[str, str]
    ) -> tuple[str | None, tuple[str, ...]]:
        kind = as_text(route.get("AuthorizationType"), f"AuthorizationType of route {key}")
        if key != "$connect":
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
            self._note(key, "only $connect is authorized; AuthorizationType has no effect")
            return None, ()
        if kind != "CUSTOM":
            self._leave_out(key, f"authorization {kind} is not checked here: anybody may connect")
            return None, ()
        named = as_text(route.get("AuthorizerId", ""), f"AuthorizerId of route {key}")
        authorizer = self._parts("AWS::ApiGatewayV2::Authorizer").get(named)
        if authorizer is None:
            raise TemplateError(
                f"{self.logical_id}: route {key} has no authorizer: AuthorizerId is {named or 'missing'}"
            )
        if authorizer.get("AuthorizerType") != "REQUEST":
            raise TemplateError(f"{self.logical_id}: an authorizer of a WebSocket API must be of type REQUEST")
        function = self._function(authorizer.get("AuthorizerUri"), stage_variables)
        if function is None:
            raise TemplateError(f"{self.logical_id}: AuthorizerUri leads to no Lambda function")
        if "AuthorizerCredentialsArn" not in authorizer:
            self._check_permission("the authorizer", function)
        given = authorizer.get("IdentitySource")
        listed = [given] if isinstance(given, str) else as_list(given, f"{self.logical_id}: IdentitySource")
        return function, tuple(as_text(each, f"{self.logical_id}: IdentitySource") for each in listed)

    def _answered(self) -> set[str]:
        """References of the routes that have a `$default` route response, the only one there can be.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
        """
        found: set[str] = set()
        for reference, response in self._parts("AWS::ApiGatewayV2::RouteResponse").items():
            key = response.get("RouteResponseKey")
            if key == "$default":
                found.add(as_text(response.get("RouteId"), f"{self.logical_id}: RouteId of {reference}"))
            else:
                self._noted[f"{self.logical_id}: a route response must have the key $default, not {key}"] = None
        return found

    def _responds(self, key: str, route: Object, *, has_response: bool) -> bool:
        selects = "RouteResponseSelectionExpression" in route
        if selects and not has_response:
            self._note(key, "it has no AWS::ApiGatewayV2::RouteResponse, so no answer is sent back, as on AWS")
        if has_response and not selects:
            self._note(key, "it has no RouteResponseSelectionExpression, so no answer is sent back, as on AWS")
        return selects and has_response

    def _check_permission(self, what: str, function: str) -> None:
        """Nothing is refused here without a permission; on AWS the call would fail.

        https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html#apigateway-permissions
        """
        for logical_id in self.resolver.of_type("AWS::Lambda::Permission"):
            permission = self.resolver.properties(logical_id)
            granted = function_name(as_text(permission.get("FunctionName"), f"{logical_id}: FunctionName"))
            if granted != function or permission.get("Principal") not in ("apigateway.amazonaws.com", "*"):
                continue
            if may_be_of_api(permission.get("SourceArn"), self.api_id):
                return
        self._noted[
            f"{self.logical_id}: {what}: on AWS the call of {function} fails, "
            "as no AWS::Lambda::Permission lets apigateway.amazonaws.com invoke it for this API"
        ] = None
