"""What a stretch of time has used, of all that is billed."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.capacity import Units
from bench.prices import Billed

MESSAGE_BYTES: Final = 32 * 1024
_REPORT: Final = re.compile(r"Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")
_GB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Usage:
    """Amounts, each in the unit of its price."""

    amounts: Mapping[Billed, float] = field(default_factory=dict)

    def __add__(self, other: "Usage") -> "Usage":
        names = {**self.amounts, **other.amounts}
        return Usage({name: self.amounts.get(name, 0) + other.amounts.get(name, 0) for name in names})


def of_units(units: Units) -> Usage:
    """DynamoDB's request units."""
    return Usage({"dynamodb_read": units.read, "dynamodb_write": units.write})


def of_messages(sizes: Iterable[int], *, connected_s: float) -> Usage:
    """Messages of these sizes in bytes, and the time that the connection was open for them."""
    messages = sum(max(1, math.ceil(size / MESSAGE_BYTES)) for size in sizes)
    return Usage({"websocket_message": messages, "connection_minute": math.ceil(connected_s / 60)})


def of_lines(lines: Iterable[str]) -> Usage:
    """What functions and the platform printed: each REPORT line is one invocation."""
    size, invocations, gb_seconds = 0, 0, 0.0
    for line in lines:
        size += len(line.encode())
        if found := _REPORT.search(line):
            invocations += 1
            gb_seconds += int(found[1]) / 1000 * int(found[2]) / 1024
    return Usage({"lambda_request": invocations, "lambda_gb_second": gb_seconds, "log_gb": size / _GB})
