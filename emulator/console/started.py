"""What runs, to be told once it does."""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulator.contract import ApiSpec, Application, FunctionSpec, ScheduleSpec

_KINDS = {
    "AWS::DynamoDB::Table": "table",
    "AWS::SQS::Queue": "queue",
    "AWS::SNS::Topic": "topic",
    "AWS::S3::Bucket": "bucket",
    "AWS::SSM::Parameter": "parameter",
    "AWS::SecretsManager::Secret": "secret",
}


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


_NAMES = frozenset({"TableName", "QueueName", "TopicName", "BucketName", "Name"})


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
