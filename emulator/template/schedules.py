"""The schedules of a resolved template: EventBridge rules and EventBridge Scheduler."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from emulator.contract import ScheduleSpec
from emulator.cron import BadCron, Cron
from emulator.template.arns import function_name
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, TemplateError, as_list, as_object, as_text

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_CRON = re.compile(r"cron\((.*)\)")
_RULE, _SCHEDULE = "AWS::Events::Rule", "AWS::Scheduler::Schedule"
_TARGET = frozenset({"Arn", "Id", "Input", "RoleArn"})


@dataclass
class Schedules:
    """Reads schedules; gathers what is left out in `unsupported`, what differs from AWS in `notes`."""

    resolver: Resolver
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self) -> tuple[ScheduleSpec, ...]:
        """One for each target of each enabled rule."""
        found: list[ScheduleSpec] = []
        for logical_id, properties in self._enabled(_RULE):
            if "ScheduleExpression" not in properties:
                self.unsupported.append(f"{logical_id}: events are not matched here; only schedules run")
                continue
            targets = as_list(properties.get("Targets"), f"{logical_id}: Targets")
            found += self._schedule(logical_id, properties, targets)
        for logical_id, properties in self._enabled(_SCHEDULE):
            window = as_object(properties.pop("FlexibleTimeWindow", None), f"{logical_id}: FlexibleTimeWindow")
            if window.get("Mode", "OFF") != "OFF":
                self.notes.append(f"{logical_id}: it runs at its time here, without a flexible time window")
            found += self._schedule(logical_id, properties, [properties.get("Target")])
        return tuple(found)

    def _enabled(self, kind: str) -> list[tuple[str, Object]]:
        every = [(logical_id, self.resolver.properties(logical_id)) for logical_id in self.resolver.of_type(kind)]
        return [(logical_id, properties) for logical_id, properties in every if properties.get("State") != "DISABLED"]

    def _schedule(self, logical_id: str, properties: Object, targets: list[Json]) -> list[ScheduleSpec]:
        timing = self._timing(logical_id, properties)
        if timing is None:
            return []
        self.notes += left_out(logical_id, self.resolver.kind(logical_id), properties)
        found: list[ScheduleSpec] = []
        for each in targets:
            target = as_object(each, f"{logical_id}: target")
            arn = as_text(target.get("Arn"), f"{logical_id}: Arn of a target")
            function = function_name(arn) if arn.split(":")[2:3] == ["lambda"] else None
            if function is None:
                self.unsupported.append(f"{logical_id}: only functions are invoked on a schedule, not {arn}")
                continue
            self.notes += [
                f"{logical_id}: {name} of its target has no effect here" for name in target if name not in _TARGET
            ]
            payload = target.get("Input")
            text = None if payload is None else as_text(payload, f"{logical_id}: Input")
            found.append(timing(function, text))
        return found

    def _timing(self, logical_id: str, properties: Object) -> Callable[[str, str | None], ScheduleSpec] | None:
        expression = as_text(properties.get("ScheduleExpression"), f"{logical_id}: ScheduleExpression")
        zone = as_text(properties.get("ScheduleExpressionTimezone", "UTC"), f"{logical_id}: time zone")
        rate, cron = _RATE.fullmatch(expression), _CRON.fullmatch(expression)
        if rate is not None:
            every_s = int(rate[1]) * _SECONDS[rate[2]]
            return lambda function, payload: ScheduleSpec(function, every_s, payload)
        if cron is not None:
            try:
                Cron.parse(cron[1], zone)
            except BadCron as error:
                raise TemplateError(f"{logical_id}: {error}") from None
            timed = ScheduleSpec("", 0, None, cron=cron[1], timezone=zone)
            return lambda function, payload: replace(timed, function=function, payload=payload)
        self.unsupported.append(f"{logical_id}: only rate(...) and cron(...) schedules run here, not {expression}")
        return None
