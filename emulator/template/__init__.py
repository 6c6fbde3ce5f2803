"""From a SAM template to what the emulator runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from emulator.contract import Application
from emulator.template.apis import Apis
from emulator.template.errors import TemplateError
from emulator.template.functions import Functions
from emulator.template.names import Place
from emulator.template.parameters import parameter_values
from emulator.template.resolver import Resolver
from emulator.template.schedules import Schedules
from emulator.template.state import STATE_TYPES, StateResources
from emulator.template.transform import read, to_cloudformation
from emulator.template.values import Object, as_object

__all__ = ["Place", "TemplateError", "load"]

# Read by the parts of this package, or without any effect that could be missed on one machine.
_KNOWN_TYPES = STATE_TYPES | {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Scheduler::Schedule",
}
# Who may use a resource: SNS may write to a queue here without a queue's policy, for one.
_POLICIES = frozenset({"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"})


def load(template: Path, *, parameters: Mapping[str, str] | None = None, place: Place | None = None) -> Application:
    """Read a SAM template; `parameters` override the defaults. Raises `TemplateError`, one line for the developer."""
    place = place or Place()
    document = read(template)
    values = parameter_values(as_object(document.get("Parameters"), "Parameters"), parameters or {})
    plain = to_cloudformation(document, parameters=values, region=place.region)
    resolver = Resolver(plain, parameters=values, place=place)
    functions = Functions(resolver, template.resolve().parent)
    apis = Apis(resolver)
    schedules = Schedules(resolver)
    state = StateResources(resolver)
    return Application(
        apis=apis.read(),
        functions=functions.read(),
        schedules=schedules.read(),
        state_template=state.read(),
        unsupported=(
            *functions.unsupported,
            *apis.unsupported,
            *schedules.unsupported,
            *state.unsupported,
            *_unknown(plain, resolver),
        ),
    )


def _unknown(plain: Object, resolver: Resolver) -> list[str]:
    kinds = Counter(
        resolver.kind(logical_id)
        for logical_id in as_object(plain.get("Resources"), "Resources")
        if resolver.exists(logical_id)
    )
    return [
        f"{kind}: permissions are not checked ({number})"
        if kind.startswith("AWS::IAM::") or kind in _POLICIES
        else f"{kind}: not run here ({number})"
        for kind, number in sorted(kinds.items())
        if kind not in _KNOWN_TYPES
    ]
