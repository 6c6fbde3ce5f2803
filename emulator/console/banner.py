"""What runs, and the banner that tells of it once it does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.console.terminal import BOLD, DIM, YELLOW, Colours
from emulator.contract import ApiSpec, Application, FunctionSpec, ScheduleSpec

_KINDS = {
    "AWS::DynamoDB::Table": "table",
    "AWS::SQS::Queue": "queue",
    "AWS::SNS::Topic": "topic",
    "AWS::S3::Bucket": "bucket",
    "AWS::SSM::Parameter": "parameter",
    "AWS::SecretsManager::Secret": "secret",
}
_NAMES = frozenset({"TableName", "QueueName", "TopicName", "BucketName", "Name"})


@dataclass(frozen=True)
class Stage:
    """An API's stage, its address `ws://host:port/stage`, and the host and port where functions find it with TLS."""

    api: ApiSpec
    websocket: str
    domain_name: str

    @property
    def management(self) -> str:
        """Where functions post to connections."""
        return f"http{self.websocket.removeprefix('ws')}/@connections/{{connectionId}}"


@dataclass(frozen=True)
class Started:
    """A running application; `url` is the main address, `took_s` how long it took to start."""

    url: str
    stages: tuple[Stage, ...]
    application: Application
    took_s: float

    @property
    def invoke(self) -> str:
        """Where functions are invoked."""
        return f"{self.url}/2015-03-31/functions/{{name}}/invocations"

    @property
    def faults(self) -> str:
        """Where faults are injected."""
        return f"{self.url}/_emulator/faults"

    def resources(self) -> list[tuple[str, str]]:
        """Kind and name of what holds state."""
        document = json.loads(self.application.state_template or "{}")
        found = []
        for logical_id, resource in document.get("Resources", {}).items():
            kind = _KINDS.get(resource["Type"])
            if kind is not None:
                names = (value for key, value in resource.get("Properties", {}).items() if key in _NAMES)
                found.append((kind, str(next(names, logical_id))))
        return found


def banner(started: Started, colours: Colours) -> str:
    """Addresses, routes, functions, what is not supported and what differs from AWS, in aligned columns.

    Several lines, with an empty one before and after.
    """
    application = started.application
    names = {function.name for function in application.functions}
    lines = [_row(colours, "page", colours.paint(f"{started.url}/", BOLD))]
    for stage in started.stages:
        lines.append(_row(colours, "websocket", colours.paint(stage.websocket, BOLD)))
        keys = _width([route.route_key for route in stage.api.routes])
        for route in stage.api.routes:
            authorizer = f"  (authorizer {route.authorizer})" if route.authorizer else ""
            lines.append(f"    {route.route_key:<{keys}} -> {route.function}{authorizer}")
        lines.append(_row(colours, "post", stage.management))
        lines.append(_row(colours, "domainName", stage.domain_name))
    lines.append(_row(colours, "invoke", started.invoke))
    lines.append(_row(colours, "faults", started.faults))
    wide = _width(names)
    for index, function in enumerate(application.functions):
        name = colours.paint(f"{function.name:<{wide}}", Colours.of_function(index))
        figures = f"{function.timeout_s:>4} s {function.memory_mb:>5} MB"
        lines.append(_row(colours, "function", "  ".join((f"{name} {figures}", *features(function)))))
    lines += [
        _row(colours, "schedule", f"{schedule.function:<{wide}} {rate(schedule)}") for schedule in application.schedules
    ]
    lines += [_row(colours, kind, name) for kind, name in started.resources()]
    lines += [f"  {colours.paint('not supported', YELLOW)}: {line}" for line in application.unsupported]
    lines += [f"  {colours.paint('note', DIM)}: {line}" for line in application.notes]
    lines.append(
        colours.paint(f"  Ready in {started.took_s:.1f} s. A saved file is served at once; Ctrl-C ends it.", DIM)
    )
    return "\n".join(("", *lines, "", ""))


def features(function: FunctionSpec) -> list[str]:
    """What sets a function apart, in a few words each."""
    found = []
    if function.reserved_concurrency is not None:
        found.append(f"concurrency {function.reserved_concurrency}")
    if function.tenant_isolation:
        found.append("per tenant")
    if function.layer_dirs:
        found.append(f"{len(function.layer_dirs)} layer{'s' * (len(function.layer_dirs) > 1)}")
    return found


def rate(schedule: ScheduleSpec) -> str:
    """When a schedule fires."""
    return f"cron({schedule.cron}) {schedule.timezone}" if schedule.cron else f"every {schedule.every_s:g} s"


def _row(colours: Colours, title: str, text: str) -> str:
    return f"  {colours.paint(f'{title:<10}', DIM)} {text}"


def _width(words: Sequence[str] | set[str]) -> int:
    return max((len(word) for word in words), default=0)
