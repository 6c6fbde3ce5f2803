"""A function's own line, read for what it says: level, message, further fields."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html: level, time, request id and message, tabs between.
_TEXT = re.compile(r"\[([A-Z]+)\]\t\S+Z\t[^\t]*\t(.*)", re.DOTALL)
# What the runtime client writes of an exception that nobody caught.
_UNCAUGHT = re.compile(r"\[ERROR\] ?(.*)", re.DOTALL)
# Stands elsewhere on the screen, or is the same in every line.
_PLAIN = frozenset(
    {
        "cold_start",
        "exception",
        "exception_name",
        "function_arn",
        "function_memory_size",
        "function_name",
        "function_request_id",
        "level",
        "location",
        "logger",
        "message",
        "requestId",
        "sampling_rate",
        "service",
        "stackTrace",
        "taskName",
        "timestamp",
        "xray_trace_id",
    }
)


@dataclass(frozen=True)
class ParsedLine:
    """`level` is upper case, empty for a plain print."""

    level: str
    text: str

    @property
    def bad(self) -> bool:
        """Whether it tells of an error."""
        return self.level in {"ERROR", "CRITICAL", "FATAL"}


def parse(line: str) -> ParsedLine:
    """A line as the function wrote it."""
    record = json_object(line)
    if record is not None:
        return _metrics(record) if "_aws" in record else _structured(record)
    if found := _TEXT.fullmatch(line):
        return ParsedLine(found[1], found[2])
    if found := _UNCAUGHT.fullmatch(line):
        return ParsedLine("ERROR", found[1])
    return ParsedLine("", line)


def json_object(line: str) -> Mapping[str, object] | None:
    """The object that the line is, None if it is none."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line, parse_constant=str)  # NaN is Python's, not JSON's
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _structured(record: Mapping[str, object]) -> ParsedLine:
    if "message" not in record:
        return ParsedLine(str(record.get("level", "")).upper(), json.dumps(record, ensure_ascii=False))
    message = record["message"]
    parts = [message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)]
    parts += [f"{key}={_short(value)}" for key, value in record.items() if key not in _PLAIN]
    text = " ".join(parts)
    trace = record.get("exception", record.get("stackTrace"))
    if trace:
        text += "\n" + (trace if isinstance(trace, str) else "\n".join(str(line).rstrip("\n") for line in _list(trace)))
    return ParsedLine(str(record.get("level", "")).upper(), text)


def _metrics(record: Mapping[str, object]) -> ParsedLine:
    """CloudWatch's embedded metric format: the metrics' names and values.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    about = record["_aws"]
    sets = about.get("CloudWatchMetrics") if isinstance(about, dict) else None
    metrics = [metric for each in _list(sets) if isinstance(each, dict) for metric in _list(each.get("Metrics"))]
    names = [str(metric.get("Name")) for metric in metrics if isinstance(metric, dict)]
    return ParsedLine("METRIC", " ".join(f"{name}={_short(_one(record.get(name)))}" for name in names))


def _one(value: object) -> object:
    """The value of a list with one, as powertools writes every metric; four digits of a measurement."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _short(value: object) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)
