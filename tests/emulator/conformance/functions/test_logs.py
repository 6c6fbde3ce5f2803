"""The log of an invocation, as `LogType: Tail` returns it."""

from __future__ import annotations

import json
import re

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, fresh
from tests.emulator.conformance.functions.conftest import TimeOut


@fact("L45", sources.LOGGING)
def test_lines_of_an_invocation(app: Application) -> None:
    """The log has START with the version, the function's own lines, END and REPORT, all with the request id."""
    answer = app.run("script", ("print", "own"), tail=True)
    start, own, end, report = answer.log.splitlines()
    assert start == f"START RequestId: {answer.request_id} Version: $LATEST"
    assert own == "own"
    assert end == f"END RequestId: {answer.request_id}"
    assert report.startswith(f"REPORT RequestId: {answer.request_id}\t")


@fact("L46", sources.LOGGING)
def test_report(app: Application) -> None:
    """REPORT has Duration, Billed Duration rounded up to the millisecond, Memory Size and Max Memory Used."""
    report = app.run("script", ("sleep", 0.1), tail=True).log.splitlines()[-1]
    found = re.search(
        r"\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: 256 MB\tMax Memory Used: (\d+) MB", report
    )
    assert found
    duration, billed, used = (float(each) for each in found.groups())
    assert 100 <= duration <= billed
    assert 10 <= used <= 256


@fact("L47", sources.LOGGING)
def test_init_duration(app: Application) -> None:
    """REPORT has Init Duration for the invocation that the environment was started for, and for no other."""
    tenant = fresh()
    logs = [app.run("isolated", tail=True, TenantId=tenant).log for _ in range(2)]
    assert re.search(r"\tInit Duration: \d+\.\d\d ms", logs[0])
    assert not re.search(r"\tInit Duration: \d+\.\d\d ms", logs[1])


@fact("L48", sources.INVOKE)
def test_no_log_unless_asked(app: Application) -> None:
    """Without `LogType: Tail` the answer carries no log."""
    assert app.run("script", ("print", "own")).log == ""


@fact("L49", sources.INVOKE)
def test_the_tail_is_short(app: Application) -> None:
    """LogResult is the last 4 KB of the log."""
    log = app.run("script", *[("print", f"{number:03} " + "x" * 95) for number in range(100)], tail=True).log
    assert len(log) == 4096
    assert "\n099 x" in log
    assert "\n050 x" not in log


@fact("L50", sources.LIFECYCLE)
def test_a_time_out_is_logged(time_out: TimeOut) -> None:
    """A time-out is logged with the request id and the seconds; REPORT says `Status: timeout`."""
    answer = time_out.answer
    assert f"{answer.request_id} Task timed out after 1.00 seconds\n" in answer.log
    assert "\tStatus: timeout" in answer.log.splitlines()[-1]


@fact("L51", sources.LIFECYCLE)
def test_a_crash_is_logged(app: Application) -> None:
    """A runtime that ends is logged with the exit status, then `Runtime.ExitError`."""
    answer = app.run("state", ("_exit", 7), tail=True)
    expected = f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 7\nRuntime.ExitError\n"
    assert expected in answer.log


@fact("L52", sources.EXCEPTIONS)
def test_an_exception_is_logged(app: Application) -> None:
    """An exception is logged with its type, message and traceback."""
    log = app.run("script", ("raise", "not now"), tail=True).log
    assert "[ERROR] Refused: not now\n" in log
    assert "Traceback (most recent call last):" in log


@fact("L53", sources.LOGGING)
def test_the_logging_module(app: Application) -> None:
    """`logging` writes the level, the time in UTC, the request id and the message, between tabs."""
    answer = app.run("script", ("log", "mind"), tail=True)
    pattern = rf"^\[WARNING\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{answer.request_id}\tmind$"
    assert re.search(pattern, answer.log, re.MULTILINE)


@fact("L54", sources.LOG_FORMAT)
def test_logging_in_json(app: Application) -> None:
    """With the JSON log format `logging` writes objects with timestamp, level, message, logger and requestId."""
    answer = app.run("json", ("log", "mind"), tail=True)
    own = next(line for line in map(json.loads, answer.log.splitlines()) if line.get("message") == "mind")
    assert own.pop("timestamp").endswith("Z")
    assert own == {"level": "WARNING", "message": "mind", "logger": "root", "requestId": answer.request_id}


@fact("L55", sources.TELEMETRY)
def test_the_platform_in_json(app: Application) -> None:
    """With the JSON log format the platform writes `platform.start` and `platform.report` with metrics."""
    answer = app.run("json", tail=True)
    events = {line["type"]: line["record"] for line in map(json.loads, answer.log.splitlines()) if "type" in line}
    assert events["platform.start"]["requestId"] == answer.request_id
    assert events["platform.start"]["version"] == "$LATEST"
    report = events["platform.report"]
    assert (report["requestId"], report["status"]) == (answer.request_id, "success")
    assert report["metrics"]["memorySizeMB"] == 256
    assert {"durationMs", "billedDurationMs", "maxMemoryUsedMB"} <= set(report["metrics"])
