"""A function's line, read for what it says."""

from __future__ import annotations

import json

import pytest

from emulator.console.function_line import ParsedLine, parse


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("just printed", ParsedLine("", "just printed")),
        ("[WARNING]\t2026-01-02T03:04:05.678Z\tid-1\tcareful\ttabs", ParsedLine("WARNING", "careful\ttabs")),
        ("[ERROR] ValueError: boom\nTraceback", ParsedLine("ERROR", "ValueError: boom\nTraceback")),
        ('{"level":"info","message":"took","ms":3,"who":"a b","service":"x","timestamp":"t"}',
         ParsedLine("INFO", 'took ms=3 who="a b"')),
        ('{"level":"ERROR","message":"no","exception":"Traceback\\n  here"}',
         ParsedLine("ERROR", "no\nTraceback\n  here")),
        ('{"level":"ERROR","message":"no","stackTrace":["a\\n","b\\n"]}', ParsedLine("ERROR", "no\na\nb")),
        ('{"message":{"a":1}}', ParsedLine("", '{"a": 1}')),
        ('{"some":"json"}', ParsedLine("", '{"some": "json"}')),
        ('{"not json', ParsedLine("", '{"not json')),
        ("{}", ParsedLine("", "{}")),
    ],
)  # fmt: skip
def test_a_line_says_its_level_message_and_fields(line: str, parsed: ParsedLine) -> None:
    """Plain text, the runtime's text format, JSON logs, and JSON that is none of these."""
    assert parse(line) == parsed


def test_metrics_are_names_and_values() -> None:
    """A record of the embedded metric format shows what it measures, not how it is described."""
    record = {
        "_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "Runs", "Unit": "Count"}]}]},
        "Runs": [28.265352],
        "d": "x",
    }
    assert parse(json.dumps(record)) == ParsedLine("METRIC", "Runs=28.27")


@pytest.mark.parametrize("about", ["x", {}, {"CloudWatchMetrics": "x"}, {"CloudWatchMetrics": [{"Metrics": [1]}]}])
def test_odd_metrics_do_not_break_the_log(about: object) -> None:
    """Whatever a function prints, the emulator goes on."""
    assert parse(json.dumps({"_aws": about})) == ParsedLine("METRIC", "")
