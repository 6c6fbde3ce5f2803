"""Which CloudWatch metrics a template names, in its alarms and on its dashboard."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

OWN_NAMESPACE = "Dayfly"

_SEARCH = re.compile(r"""SEARCH\('\{(?P<schema>[^}]+)\}\s.*?MetricName="(?P<name>\w+)\"""")


class NamedMetric(NamedTuple):
    """A metric as an alarm or a graph names it; `unit` where it asks for one. Dimensions are names, sorted."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    unit: str | None = None


def named_metrics(template: dict[str, Any]) -> frozenset[NamedMetric]:
    """All metrics of a template, in its long form (`Fn::Sub`, not `!Sub`)."""
    found: set[NamedMetric] = set()
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            found.update(_of_alarm(properties))
        elif resource["Type"] == "AWS::CloudWatch::Dashboard":
            # The placeholders of Fn::Sub stand inside JSON strings, so the body is JSON as it is.
            for widget in json.loads(properties["DashboardBody"]["Fn::Sub"])["widgets"]:
                found.update(map(_of_graph, widget["properties"].get("metrics", ())))
    return frozenset(found)


def _of_alarm(properties: dict[str, Any]) -> Iterator[NamedMetric]:
    if "MetricName" in properties:
        yield _of_metric(properties, properties.get("Unit"))
    for query in properties.get("Metrics", ()):
        if stat := query.get("MetricStat"):
            yield _of_metric(stat["Metric"], stat.get("Unit"))


def _of_metric(metric: dict[str, Any], unit: str | None) -> NamedMetric:
    dimensions = tuple(sorted(dimension["Name"] for dimension in metric["Dimensions"]))
    return NamedMetric(metric["Namespace"], metric["MetricName"], dimensions, unit)


def _of_graph(line: list[Any]) -> NamedMetric:
    """One line of a graph: namespace, name, then dimensions by name and value, then options; or an expression."""
    if isinstance(line[0], dict):
        search = _SEARCH.search(line[0]["expression"])
        if search is None:
            message = f"an expression that names no metric: {line[0]['expression']}"
            raise ValueError(message)
        namespace, *dimensions = search["schema"].split(",")
        return NamedMetric(namespace, search["name"], tuple(sorted(dimensions)))
    namespace, name, *rest = (part for part in line if isinstance(part, str))
    return NamedMetric(namespace, name, tuple(sorted(rest[::2])))
