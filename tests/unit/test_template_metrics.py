"""Which metrics the template names, and whether they exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dayfly.metrics import TIMES, Metric
from scripts.template_file import load
from scripts.template_metrics import OWN_NAMESPACE, NamedMetric, named_metrics

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template, with long intrinsics."""
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def operating() -> str:
    """The operator's manual."""
    return (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_own_metrics_are_those_of_the_meter(template: dict[str, Any]) -> None:
    """The template names every metric of the meter, Powertools' ColdStart, and no other of its namespace."""
    own = {metric.name for metric in named_metrics(template) if metric.namespace == OWN_NAMESPACE}
    assert own == {*Metric, "ColdStart"}


def test_own_metrics_are_sliced_by_nothing_that_identifies(template: dict[str, Any]) -> None:
    """Dimensions are the service alone, or with the error code or the function's name."""
    slices = {metric.dimensions for metric in named_metrics(template) if metric.namespace == OWN_NAMESPACE}
    assert slices == {("service",), ("code", "service"), ("function_name", "service")}


def test_alarms_ask_for_the_unit_that_is_emitted(template: dict[str, Any]) -> None:
    """Where an alarm names a unit, it is milliseconds for times and a count for the rest."""
    for metric in named_metrics(template):
        if metric.unit:
            assert metric.unit == ("Milliseconds" if metric.name in TIMES else "Count")


def test_metrics_of_aws_are_on_the_dated_list(template: dict[str, Any]) -> None:
    """AWS's own metrics in use are exactly those that were looked up, each on a page of its documentation."""
    checked = json.loads((ROOT / "docs" / "aws-metrics.json").read_text(encoding="utf-8"))
    listed = {NamedMetric(m["namespace"], m["name"], tuple(m["dimensions"])) for m in checked["metrics"]}
    assert {metric for metric in named_metrics(template) if metric.namespace.startswith("AWS/")} == listed
    assert {m["page"] for m in checked["metrics"]} == set(checked["pages"])


def test_every_alarm_says_where_to_read_what_to_do(template: dict[str, Any], operating: str) -> None:
    """An alarm's description ends with the title of its section in the operator's manual."""
    alarms = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 8
    for alarm in alarms:
        section = alarm["AlarmDescription"].partition("See docs/operating.md, ")[2].rstrip(".")
        assert f"\n### {section}\n" in operating


def test_every_alarm_reaches_the_topic(template: dict[str, Any]) -> None:
    """Each alarm tells the topic when it is raised and when it is over, if there is a topic."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            for told in ("AlarmActions", "OKActions"):
                assert resource["Properties"][told]["Fn::If"][:2] == ["HasTopic", [{"Ref": "AlarmTopic"}]]


def test_every_parameter_and_query_is_in_the_manual(template: dict[str, Any], operating: str) -> None:
    """The operator's manual has each parameter of the template and each saved query."""
    queries = [
        resource["Properties"]["Name"]["Fn::Sub"].partition("/")[2]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    ]
    assert sorted(queries) == ["errors by code", "one run", "one user", "slowest runs"]
    assert [name for name in (*template["Parameters"], *queries) if f"`{name}`" not in operating] == []


def test_an_expression_without_a_metric_is_refused() -> None:
    """A graph's expression that names no metric is an error, not a metric overlooked."""
    body = json.dumps({"widgets": [{"properties": {"metrics": [[{"expression": "1 + 1"}]]}}]})
    dashboard = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Sub": body}}}
    with pytest.raises(ValueError, match="names no metric"):
        named_metrics({"Resources": {"Dashboard": dashboard}})


def test_saved_queries_ask_for_fields_that_are_logged(template: dict[str, Any]) -> None:
    """A saved query names only fields of Dayfly's log lines, of CloudWatch's own, and its own aliases."""
    logged = {"user", "thread", "run", "connection", "request", "code", "reason", "outcome", "duration_ms"}
    logged |= {"message", "level", "service", "xray_trace_id", "@timestamp", "@log"}
    words = {"fields", "filter", "sort", "limit", "stats", "by", "as", "asc", "desc", "and"}
    words |= {"ispresent", "count", "count_distinct", "latest", "max"}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Logs::QueryDefinition":
            query = re.sub(r'"[^"]*"|\b\d+\b', "", resource["Properties"]["QueryString"])
            aliases = set(re.findall(r"\bas (\w+)", query))
            assert set(re.findall(r"@?[A-Za-z_]+", query)) - logged - words - aliases == set()
