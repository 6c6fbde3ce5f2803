"""What functions write: log lines and metrics, as read from their standard output."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dayfly.aws.settings import Settings
from dayfly.aws.telemetry.telemetry import Telemetry
from dayfly.errors import ErrorCode
from dayfly.log.secret_values import SecretValues
from dayfly.metrics import TIMES, Metric
from tests.unit.aws.lambda_context import PlayedContext

LIBRARY = Path(__file__).parents[4] / "layers" / "dayfly"
CONTEXT = PlayedContext()


@pytest.fixture
def telemetry(capsys: pytest.CaptureFixture[str]) -> Iterator[Telemetry]:
    """Made after `capsys`, so that it writes to what is captured."""
    library = logging.getLogger("dayfly")
    before = (library.handlers, library.level, library.propagate)
    yield Telemetry(Settings(powertools_service_name="chat"))
    library.handlers, library.level, library.propagate = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def series(written: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The dimensions of a metric line, and its metrics' units."""
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Dayfly"
    (dimensions,) = directive["Dimensions"]
    return tuple(sorted(dimensions)), {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


def test_log_lines_carry_the_invocations_ids(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of the library's own loggers has the bound ids, its extra keys, the service and Lambda's id."""
    with telemetry.invocation(CONTEXT, user="u-1", thread="t-1"):
        telemetry.logs.bind(run="r-1")
        logging.getLogger("dayfly.engine").warning(
            "lease not renewed", extra={"reason": "Unsettled", "code": "internal"}
        )
    line = lines(capsys)[-1]
    wanted = {
        "level": "WARNING",
        "message": "lease not renewed",
        "service": "chat",
        "user": "u-1",
        "thread": "t-1",
        "run": "r-1",
        "reason": "Unsettled",
        "code": "internal",
        "function_request_id": CONTEXT.aws_request_id,
    }
    assert wanted.items() <= line.items()


def test_a_line_may_name_its_own_thread(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """`thread_id` in a line comes out as `thread`, which the standard library would not let through."""
    with telemetry.invocation(CONTEXT):
        logging.getLogger("dayfly.router").info("admitted", extra={"thread_id": "t-9", "run": "r-9"})
    line = lines(capsys)[-1]
    assert (line["thread"], line["run"]) == ("t-9", "r-9")
    assert "thread_id" not in line


def test_ids_do_not_reach_the_next_invocation(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """A warm environment's second invocation has none of the first one's ids."""
    with telemetry.invocation(CONTEXT, user="u-1", run="r-1"):
        pass
    with telemetry.invocation(PlayedContext(request_id="second")):
        logging.getLogger("dayfly").info("x")
    line = lines(capsys)[-1]
    assert not {"user", "run"} & line.keys()
    assert line["function_request_id"] == "second"
    assert line["service"] == "chat"


def test_an_exception_is_one_line(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """A stack trace stands in its line's JSON."""
    with telemetry.invocation(CONTEXT):
        try:
            raise ValueError("reason")
        except ValueError:
            logging.getLogger("dayfly").exception("failed")
    line = lines(capsys)[-1]
    assert line["exception_name"] == "ValueError"
    assert "reason" in line["exception"]


def test_each_metric_has_its_unit_and_only_the_service(
    telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every metric is written under its name, in milliseconds or as a count, with the service as its only dimension."""
    with telemetry.invocation(CONTEXT):
        for metric in Metric:
            telemetry.meter.add(metric, 2)
    line = lines(capsys)[-1]
    dimensions, units = series(line)
    assert dimensions == ("service",)
    assert line["service"] == "chat"
    assert units == {metric.value: "Milliseconds" if metric in TIMES else "Count" for metric in Metric}


def test_values_of_one_metric_are_kept_apart(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """Several values in an invocation are all there, for percentiles; more than 100 go over several lines."""
    with telemetry.invocation(CONTEXT):
        for value in range(250):
            telemetry.meter.add(Metric.POST_LATENCY, value)
    written = [line["PostLatency"] for line in lines(capsys) if "PostLatency" in line]
    assert sorted(value for values in written for value in values) == list(range(250))
    assert all(len(values) <= 100 for values in written)


def test_failed_runs_are_also_counted_by_code(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed run stands in the service's total and in the series of its code."""
    with telemetry.invocation(CONTEXT):
        telemetry.meter.add(Metric.RUNS_FAILED, code=ErrorCode.ENGINE_LOST)
        telemetry.meter.add(Metric.RUNS_FAILED, code=ErrorCode.ENGINE_LOST)
        telemetry.meter.add(Metric.RUNS_FAILED, code=ErrorCode.MODEL_FAILED)
    written = [line for line in lines(capsys) if "RunsFailed" in line]
    found = {(series(line)[0], line.get("code")): sum(line["RunsFailed"]) for line in written}
    assert found == {
        (("service",), None): 3,
        (("code", "service"), "engine_lost"): 2,
        (("code", "service"), "model_failed"): 1,
    }


def admit_and_fail(telemetry: Telemetry) -> None:
    with telemetry.invocation(CONTEXT):
        telemetry.meter.add(Metric.RUNS_ADMITTED)
        raise RuntimeError


def test_values_do_not_reach_the_next_invocation(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """What was measured is written once, also when the handler raised, and an invocation without values writes none."""
    with pytest.raises(RuntimeError):
        admit_and_fail(telemetry)
    assert sum("RunsAdmitted" in line for line in lines(capsys)) == 1
    with telemetry.invocation(CONTEXT):
        pass
    assert lines(capsys) == []


def test_a_cold_start_is_counted_once(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """The first invocation of a process counts its cold start by function and service; later ones do not."""
    for _ in range(2):
        with telemetry.invocation(CONTEXT):
            pass
    (line,) = lines(capsys)
    dimensions, units = series(line)
    assert dimensions == ("function_name", "service")
    assert units == {"ColdStart": "Count"}
    assert (line["function_name"], line["service"]) == ("Function", "chat")


QUIET = """
import logging, os
logging.basicConfig(level=logging.INFO)
from dayfly.aws.telemetry.tracing import Tracing
with Tracing(os.environ, service="chat").step("run", run="r-1", thread="t-1"):
    print("ran")
"""
TRACED = {
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
}


@pytest.mark.parametrize("environ", [{}, {"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9"}, TRACED], ids=len)
def test_tracing_is_quiet(environ: dict[str, str]) -> None:
    """Without a daemon, without a trace, and with a daemon that is not there, steps run and nothing is written."""
    told = {"PYTHONPATH": str(LIBRARY), "LAMBDA_TASK_ROOT": "/var/task", "PATH": os.environ["PATH"], **environ}
    done = subprocess.run(
        [sys.executable, "-c", QUIET], env=told, capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("ran\n", "")


def test_no_secret_is_logged(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """Once told of the secrets, each line is redacted: message, extra keys and traceback, of this library's loggers and
    of those that write by the runtime's own handler."""
    values = SecretValues()
    values.add('sk_live_"51"')
    runtime = logging.StreamHandler(sys.stdout)
    runtime.setFormatter(logging.Formatter("runtime %(message)s"))
    root = logging.getLogger()
    root.addHandler(runtime)
    try:
        telemetry.logs.redact_with(values)
        with telemetry.invocation(CONTEXT):
            try:
                raise ValueError('no sk_live_"51"')
            except ValueError:
                logging.getLogger("dayfly.agents").exception('a sk_live_"51"', extra={"reason": 'a sk_live_"51"'})
        logging.getLogger("my_tools").warning("mine: %s", 'sk_live_"51"')
    finally:
        root.removeHandler(runtime)
    written = capsys.readouterr().out
    assert "sk_live" not in written
    assert "runtime mine: [redacted]" in written
    line = json.loads(written.splitlines()[-2])
    assert (line["message"], line["reason"]) == ("a [redacted]", "a [redacted]")
    assert "ValueError: no [redacted]" in line["exception"]
