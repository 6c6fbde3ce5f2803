"""What a resolved template says of asynchronous invocations: retries, age and destinations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from dataclasses import dataclass

from emulator.template.arns import destination, function_name
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, TemplateError, as_int, as_object, as_text

_KIND = "AWS::Lambda::EventInvokeConfig"


@dataclass(frozen=True)
class InvokeConfig:
    """How the asynchronous events of a function are treated; the defaults are Lambda's own."""

    max_retries: int = 2
    max_event_age_s: int = 21600
    on_failure: str | None = None
    on_success: str | None = None


class InvokeConfigs:
    """The configurations by function; gathers what is left out in `unsupported`, what differs from AWS in `notes`."""

    def __init__(self, resolver: Resolver) -> None:
        self.unsupported: list[str] = []
        self.notes: list[str] = []
        self._found: dict[str, InvokeConfig] = {}
        for logical_id in resolver.of_type(_KIND):
            properties = resolver.properties(logical_id)
            name = function_name(as_text(properties.get("FunctionName"), f"{logical_id}: FunctionName"))
            if name is not None:
                self.notes += left_out(logical_id, _KIND, properties)
                self._found[name] = self._read(logical_id, properties)

    def of(self, function: str) -> InvokeConfig:
        """The configuration of the function with this name."""
        return self._found.get(function, InvokeConfig())

    def _read(self, logical_id: str, properties: Object) -> InvokeConfig:
        destinations = as_object(properties.get("DestinationConfig"), f"{logical_id}: DestinationConfig")
        retries, age = properties.get("MaximumRetryAttempts"), properties.get("MaximumEventAgeInSeconds")
        default = InvokeConfig()
        return InvokeConfig(
            max_retries=default.max_retries
            if retries is None
            else _within(logical_id, "MaximumRetryAttempts", retries, 0, 2),
            max_event_age_s=(
                default.max_event_age_s
                if age is None
                else _within(logical_id, "MaximumEventAgeInSeconds", age, 60, default.max_event_age_s)
            ),
            on_failure=self._destination(logical_id, destinations, "OnFailure"),
            on_success=self._destination(logical_id, destinations, "OnSuccess"),
        )

    def _destination(self, logical_id: str, destinations: Object, name: str) -> str | None:
        target = as_object(destinations.get(name), f"{logical_id}: {name}").get("Destination")
        if target is None:
            return None
        arn = as_text(target, f"{logical_id}: {name}")
        found = destination(arn)
        if found is None:
            self.unsupported.append(
                f"{logical_id}: {name} is a function, a queue or a topic here; nothing is sent to {arn}"
            )
        return found


def _within(logical_id: str, name: str, value: Json, least: int, most: int) -> int:
    number = as_int(value, f"{logical_id}: {name}")
    if not least <= number <= most:
        raise TemplateError(f"{logical_id}: {name} is {number}, not from {least} to {most}")
    return number
