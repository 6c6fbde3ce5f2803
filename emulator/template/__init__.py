"""From a SAM template to what the emulator runs."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from emulator.contract import Application
from emulator.packages import Packages
from emulator.template.apis import Apis
from emulator.template.folders import built_layers
from emulator.template.functions import Functions
from emulator.template.names import Place
from emulator.template.parameters import untrue_parameters
from emulator.template.resolver import Resolver
from emulator.template.schedules import Schedules
from emulator.template.state import STATE_TYPES, StateResources
from emulator.template.translation import translate
from emulator.template.values import Object, TemplateError, as_object

__all__ = ["Place", "TemplateError", "load"]

# Read by the parts of this package, or without any effect that could be missed on one machine.
_KNOWN_TYPES = STATE_TYPES | {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::IntegrationResponse",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Events::Rule",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Scheduler::Schedule",
}
# Who may use a resource: SNS may write to a queue here without a queue's policy, for one.
_POLICIES = frozenset({"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"})


def load(
    template: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    place: Place | None = None,
    packages: Packages | None = None,
) -> Application:
    """Read a SAM template; `parameters` override the defaults. Raises `TemplateError`, one line for the developer.

    Packages that its functions require are installed into the user's cache, or that of `packages`, unless they are
    there.
    """
    place = place or Place()
    packages = packages or Packages()
    translation = translate(
        template, parameters=parameters or {}, region=place.region, folder=packages.folder / "templates"
    )
    document, plain = translation.document, translation.plain
    resolver = Resolver(plain, parameters=translation.values, place=place)
    functions = Functions(resolver, root=template.resolve().parent, packages=packages, built=built_layers(document))
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
        notes=(
            *functions.notes,
            *apis.notes,
            *schedules.notes,
            *state.notes,
            *untrue_parameters(as_object(document.get("Parameters"), "Parameters")),
            *resolver.notes,
        ),
    )


def _unknown(plain: Object, resolver: Resolver) -> list[str]:
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for logical_id in as_object(plain.get("Resources"), "Resources"):
        if resolver.exists(logical_id) and resolver.kind(logical_id) not in _KNOWN_TYPES:
            by_kind[resolver.kind(logical_id)].append(logical_id)
    return [f"{kind}: {_why(kind)} ({', '.join(names)})" for kind, names in sorted(by_kind.items())]


def _why(kind: str) -> str:
    if kind.startswith("AWS::IAM::") or kind in _POLICIES:
        return "permissions are not checked"
    return "not run here"
