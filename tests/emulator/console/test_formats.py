"""One invocation in each format."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from typing import Literal

import pytest

from emulator.console import Format, Output, make_format
from emulator.console.terminal import Colours
from emulator.functions import LogLine
from emulator.functions.log import Report

ID = "0a1b2c3d-0000-4000-8000-000000000000"
REPORT = Report(request_id=ID, duration_s=0.0123, init_s=0.4, memory_mb=256, peak_memory_mb=78, status=None)
LATE = Report(request_id=ID, duration_s=3.0, init_s=None, memory_mb=128, peak_memory_mb=None, status="timeout")


def platform(text: str, report: Report | None = None) -> LogLine:
    """A line of Lambda."""
    return LogLine("Router", text, source="platform", request_id=ID, report=report)


INVOCATION = [
    platform(f"START RequestId: {ID} Version: $LATEST"),
    LogLine("Router", "one\ntwo", source="function", request_id=ID),
    platform(f"END RequestId: {ID}"),
    platform(REPORT.line(), REPORT),
]


def shown(form: Format, lines: list[LogLine]) -> list[str]:
    """What is printed, without times."""
    stream = io.StringIO()
    output = Output(form, stream)
    for line in lines:
        output.function_line(line)
    return re.sub(r"(?m)\d\d:\d\d:\d\d\.\d{3} ", "", stream.getvalue()).splitlines()


def test_an_invocation_is_one_readable_line() -> None:
    """Function, outcome, duration, memory, id and cold start; its own words under its name; START and END left out."""
    form = make_format("readable", colours=Colours(on=False), functions=["Router", "Recovery"])
    assert shown(form, INVOCATION) == [
        "Router   | one",
        "         | two".rjust(len("HH:MM:SS.mmm ") + len("         | two")),
        "Router   ok            12.3 ms     78/256 MB  0a1b2c3d  cold start 400 ms",
    ]


def test_errors_are_red_and_functions_keep_their_colour() -> None:
    """A time-out's summary is red; the second function's colour is not the first one's."""
    form = make_format("readable", colours=Colours(on=True), functions=["Router", "Recovery"])
    [late] = shown(form, [platform("late Task timed out after 3.00 seconds"), platform(LATE.line(), LATE)])
    assert "\x1b[31mtimed out\x1b[0m" in late
    [first] = shown(form, [LogLine("Router", "x", source="function", request_id=None)])
    [again] = shown(form, [LogLine("Router", "y", source="function", request_id=None)])
    [other] = shown(form, [LogLine("Recovery", "x", source="function", request_id=None)])
    colour = re.compile(r"\x1b\[(\d+)m(?:Router|Recovery)")
    codes = [found[1] for line in (first, again, other) if (found := colour.search(line))]
    assert codes[0] == codes[1] != codes[2]


def test_other_lines_of_lambda_are_shown() -> None:
    """What no summary says, as a failed init phase, is not left out."""
    form = make_format("readable", colours=Colours(on=False), functions=["Router"])
    assert shown(form, [platform("INIT_REPORT Phase: init\tStatus: error")]) == [
        "Router INIT_REPORT Phase: init  Status: error"
    ]


def test_lines_of_lambda_stand_below_their_function() -> None:
    """The second line of an exit has its place below the first one, not at the margin."""
    form = make_format("readable", colours=Colours(on=False), functions=["Router"])
    stream = io.StringIO()
    Output(form, stream).function_line(platform("RequestId: 1 Error: Runtime exited\nRuntime.ExitError"))
    first, second = stream.getvalue().splitlines()
    assert first.endswith("Router RequestId: 1 Error: Runtime exited")
    assert second == " " * first.index("RequestId") + "Runtime.ExitError"


@pytest.mark.parametrize("name", ["readable", "lambda"])
@pytest.mark.parametrize("on", [False, True], ids=["file", "terminal"])
def test_control_characters_are_made_visible(name: Literal["readable", "lambda"], on: bool) -> None:
    """No function, and no client by its words, moves the cursor or paints; tabs stay."""
    form = make_format(name, colours=Colours(on=on), functions=["Router"])
    for text in (
        "a\x1b[2J\r\x07\x7f\x9b\tb",
        '{"message": "a\\u001b[2J\\r\\u0007\\u007f\\u009b\\tb", "level": "INFO"}',
    ):
        said = form.function_line(LogLine("Router", text, source="function", request_id=ID))
        if name == "readable" or not text.startswith("{"):
            assert r"a\x1b[2J\x0d\x07\x7f\x9b" + "\tb" in said
    own = form.own_line(logging.LogRecord("emulator", logging.INFO, __file__, 1, "closed %s", ("\x1b[2J",), None))
    assert own.endswith(r"closed \x1b[2J")


def test_json_lines_hold_no_control_characters() -> None:
    """Those that JSON lets stand are escaped as well; the text itself is not changed."""
    said = "a\x1b\x7f\x9b\tb"
    line = make_format("json", colours=Colours(on=True)).function_line(
        LogLine("Router", said, source="function", request_id=ID)
    )
    assert line.isprintable()
    assert json.loads(line)["message"] == said


def test_lambdas_own_format_leaves_nothing_out() -> None:
    """START, END and REPORT as AWS writes them, after the function's name."""
    form = make_format("lambda", colours=Colours(on=False))
    assert shown(form, INVOCATION) == [
        f"[Router]     START RequestId: {ID} Version: $LATEST",
        "[Router]     one",
        "two",
        f"[Router]     END RequestId: {ID}",
        f"[Router]     {REPORT.line()}",
    ]


def test_every_json_line_is_an_object_with_the_figures() -> None:
    """Time, level, kind, message in each; duration, init and memory where an invocation is over."""
    lines = [json.loads(line) for line in shown(make_format("json", colours=Colours(on=True)), INVOCATION)]
    assert [line["kind"] for line in lines] == ["platform", "log", "platform", "invocation"]
    assert all({"timestamp", "level", "message", "function", "request_id"} <= line.keys() for line in lines)
    over = lines[-1]
    assert (over["outcome"], over["duration_ms"], over["init_ms"]) == ("ok", 12.3, 400.0)
    assert (over["memory_mb"], over["memory_size_mb"]) == (78, 256)


def test_a_functions_own_json_is_a_record() -> None:
    """Its fields can be asked for without parsing twice; NaN, which JSON has not, becomes a string."""
    said = LogLine("Router", '{"level":"WARNING","message":"m","n":NaN}', source="function", request_id=ID)
    [line] = [json.loads(each) for each in shown(make_format("json", colours=Colours(on=False)), [said])]
    assert (line["level"], line["message"], line["record"]["n"]) == ("warning", "m", "NaN")


@pytest.mark.parametrize("name", ["readable", "lambda", "json"])
def test_a_failure_of_the_emulator_shows_its_traceback(name: str) -> None:
    """Its own errors come with where they happened."""
    form = make_format(
        "json" if name == "json" else "lambda" if name == "lambda" else "readable", colours=Colours(False)
    )
    try:
        raise ValueError("inside")
    except ValueError:
        record = logging.LogRecord("emulator", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    text = form.own_line(record)
    assert "failed" in text
    assert "ValueError: inside" in text


class Gone(io.StringIO):
    """A pipe nobody reads."""

    def write(self, _text: str) -> int:
        """Breaks."""
        raise BrokenPipeError


def test_a_pipe_that_nobody_reads_ends_nothing() -> None:
    """`| head` does not stop the emulator, nor fill its log with tracebacks."""
    output = Output(make_format("lambda", colours=Colours(on=False)), Gone())
    output.function_line(INVOCATION[0])
    output.failed("x")
