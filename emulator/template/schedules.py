"""The schedules of a resolved template: EventBridge rules and EventBridge Scheduler."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emulator.contract import ScheduleSpec
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, as_list, as_object, as_text

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass
class Schedules:
    """Reads schedules; gathers what is not supported in `unsupported`."""

    resolver: Resolver
    unsupported: list[str] = field(default_factory=list)

    def read(self) -> tuple[ScheduleSpec, ...]:
        """One for each target of each enabled rule."""
        found: list[ScheduleSpec] = []
        for logical_id in self.resolver.of_type("AWS::Events::Rule"):
            properties = self.resolver.properties(logical_id)
            targets = as_list(properties.get("Targets"), logical_id)
            found += self._schedule(logical_id, properties, targets)
        for logical_id in self.resolver.of_type("AWS::Scheduler::Schedule"):
            properties = self.resolver.properties(logical_id)
            found += self._schedule(logical_id, properties, [properties.get("Target")])
        return tuple(found)

    def _schedule(self, logical_id: str, properties: Object, targets: list[Json]) -> list[ScheduleSpec]:
        if properties.get("State") == "DISABLED":
            return []
        expression = properties.get("ScheduleExpression")
        match = _RATE.fullmatch(expression) if isinstance(expression, str) else None
        if match is None:
            self.unsupported.append(f"{logical_id}: only rate(...) schedules run here, not {expression}")
            return []
        every_s = int(match[1]) * _SECONDS[match[2]]
        found: list[ScheduleSpec] = []
        for each in targets:
            target = as_object(each, f"target of {logical_id}")
            arn = as_text(target.get("Arn"), f"target of {logical_id}")
            if ":function:" not in arn:
                self.unsupported.append(f"{logical_id}: only functions are invoked on a schedule, not {arn}")
                continue
            payload = target.get("Input")
            found.append(
                ScheduleSpec(
                    function=arn.split(":function:")[1].split(":")[0],
                    every_s=every_s,
                    payload=None if payload is None else as_text(payload, f"input of {logical_id}"),
                )
            )
        return found
