"""What one environment says: the function's own lines, and the platform's around them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from emulator.contract import FunctionSpec
from emulator.functions.call import Call
from emulator.functions.log import LogLine, LogSink, Report

Phase = Literal["init", "invoke"]


class Journal:
    """Hands each line to the emulator's log, in plain text, and to the invocation's tail, in the function's format."""

    def __init__(self, spec: FunctionSpec, sink: LogSink) -> None:
        self._spec = spec
        self._sink = sink
        self._call: Call | None = None

    def begin(self, call: Call) -> None:
        """START. What follows belongs to this invocation, until `end`."""
        self._call = call
        version = {"requestId": call.request_id, "version": "$LATEST"}
        self._platform(f"START RequestId: {call.request_id} Version: $LATEST", "platform.start", version)

    def own(self, text: str) -> None:
        """A line that the function wrote."""
        self._line("function", text)
        if self._call is not None and self._call.tail is not None:
            self._call.tail.add(text)

    def timed_out(self, call: Call) -> None:
        """The line of a time-out.

        https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
        """
        self._note(f"{_now()} {call.request_id} Task timed out after {call.timeout_s:.2f} seconds")

    def exited(self, call: Call, reason: str) -> None:
        """The lines of a process that ended during an invocation."""
        self._note(f"RequestId: {call.request_id} Error: {reason}\nRuntime.ExitError")

    def init_failed(
        self, *, phase: Phase, duration_s: float, status: Literal["timeout", "error"], error: str | None = None
    ) -> None:
        """INIT_REPORT, which Lambda logs for an init phase that did not end well.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
        """
        text = f"INIT_REPORT Init Duration: {duration_s * 1000:.2f} ms\tPhase: {phase}\tStatus: {status}"
        self._line("platform", text if error is None else f"{text}\tError Type: {error}")

    def end(self, report: Report) -> None:
        """END and REPORT; the invocation is over."""
        self._platform(f"END RequestId: {report.request_id}", None, {})
        self._platform(report.line(), "platform.report", report.record(), report)
        self._call = None

    def _note(self, text: str) -> None:
        self._line("platform", text)
        if self._call is not None and self._call.tail is not None:
            self._call.tail.add(text)

    def _platform(
        self, text: str, event: str | None, record: Mapping[str, object], report: Report | None = None
    ) -> None:
        self._line("platform", text, report)
        tail = None if self._call is None else self._call.tail
        if tail is None:
            return
        if self._spec.log_format == "Text":
            tail.add(text)
        elif event is not None:
            tail.add(json.dumps({"time": _now(), "type": event, "record": record}))

    def _line(self, source: Literal["function", "platform"], text: str, report: Report | None = None) -> None:
        request_id = None if self._call is None else self._call.request_id
        self._sink(LogLine(function=self._spec.name, text=text, source=source, request_id=request_id, report=report))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
