"""A function's line, read for what it says."""

from __future__ import annotations

import json

import pytest

from emulator.console.words import Words, read


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("just printed", Words("", "just printed")),
        ("[WARNING]\t2026-01-02T03:04:05.678Z\tid-1\tcareful\ttabs", Words("WARNING", "careful\ttabs")),
        ("[ERROR] ValueError: boom\nTraceback", Words("ERROR", "ValueError: boom\nTraceback")),
        ('{"level":"info","message":"took","ms":3,"who":"a b","service":"x","timestamp":"t"}',
         Words("INFO", 'took ms=3 who="a b"')),
        ('{"level":"ERROR","message":"no","exception":"Traceback\\n  here"}', Words("ERROR", "no\nTraceback\n  here")),
        ('{"level":"ERROR","message":"no","stackTrace":["a\\n","b\\n"]}', Words("ERROR", "no\na\nb")),
        ('{"message":{"a":1}}', Words("", '{"a": 1}')),
        ('{"some":"json"}', Words("", '{"some": "json"}')),
        ('{"not json', Words("", '{"not json')),
        ("{}", Words("", "{}")),
    ],
)  # fmt: skip
def test_a_line_says_its_level_message_and_fields(line: str, words: Words) -> None:
    """Plain text, the runtime's text format, JSON logs, and JSON that is none of these."""
    assert read(line) == words


def test_metrics_are_names_and_values() -> None:
    """A record of the embedded metric format shows what it measures, not how it is described."""
    record = {
        "_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "Runs", "Unit": "Count"}]}]},
        "Runs": [28.265352],
        "d": "x",
    }
    assert read(json.dumps(record)) == Words("METRIC", "Runs=28.27")


@pytest.mark.parametrize("about", ["x", {}, {"CloudWatchMetrics": "x"}, {"CloudWatchMetrics": [{"Metrics": [1]}]}])
def test_odd_metrics_do_not_break_the_log(about: object) -> None:
    """Whatever a function prints, the emulator goes on."""
    assert read(json.dumps({"_aws": about})) == Words("METRIC", "")
