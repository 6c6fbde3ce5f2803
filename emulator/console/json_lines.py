"""Every line one JSON object, the banner too."""

import json
import logging
from collections.abc import Mapping

from emulator.console.banner import Started, rate
from emulator.console.function_line import json_object, parse
from emulator.console.terminal import iso, visible_json
from emulator.console.text_formats import own_text
from emulator.functions import LogLine
from emulator.functions.log import Report

_OUTCOMES = {None: "ok", "timeout": "timed out", "error": "error"}


class JsonLines:
    """`timestamp` (RFC 3339), `level`, `kind` and `message` in each line.

    Kinds: `invocation` (one is over, with its figures), `log` (a function's own line; if that is a JSON object itself,
    `record` has it), `platform` (Lambda's other lines), `notice` (the emulator about a function), `emulator` (about
    itself), `ready` (all addresses) and `failed` (it could not start).
    """

    def function_line(self, line: LogLine) -> str:
        """A line of kind `invocation`, `log`, `platform` or `notice`."""
        about: dict[str, object] = {"function": line.function, "request_id": line.request_id}
        if line.report is not None:
            level = "info" if line.report.status is None else "error"
            return _line("invocation", level, line.text, {**about, **_figures(line.report)})
        if line.source != "function":
            return _line(line.source, line.level, line.text, about)
        record = json_object(line.text)
        if record is None:
            return _line("log", parse(line.text).level.lower() or "info", line.text, about)
        level = str(record.get("level", "info")).lower()
        return _line("log", level, str(record.get("message", "")), {**about, "record": record})

    def own_line(self, record: logging.LogRecord) -> str:
        """A line of kind `emulator`."""
        return _line("emulator", record.levelname.lower(), own_text(record), {}, at=record.created)

    def started(self, started: Started) -> str:
        """A line of kind `ready`."""
        application = started.application
        return _line(
            "ready",
            "info",
            f"ready in {started.took_s:.1f} s",
            {
                "page": f"{started.url}/",
                "invoke": started.invoke,
                "faults": started.faults,
                "websockets": [
                    {
                        "url": stage.websocket,
                        "post": stage.management,
                        "domain_name": stage.domain_name,
                        "routes": [
                            {"route": route.route_key, "function": route.function, "authorizer": route.authorizer}
                            for route in stage.api.routes
                        ],
                    }
                    for stage in started.stages
                ],
                "functions": [
                    {
                        "function": function.name,
                        "handler": function.handler,
                        "timeout_s": function.timeout_s,
                        "memory_mb": function.memory_mb,
                        "reserved_concurrency": function.reserved_concurrency,
                    }
                    for function in application.functions
                ],
                "schedules": [{"function": each.function, "rate": rate(each)} for each in application.schedules],
                "resources": [{"kind": kind, "name": name} for kind, name in started.resources()],
                "not_supported": list(application.unsupported),
                "notes": list(application.notes),
            },
        )

    def failed(self, message: str) -> str:
        """A line of kind `failed`."""
        return _line("failed", "error", message, {})


def _figures(report: Report) -> dict[str, object]:
    return {
        "outcome": _OUTCOMES[report.status],
        "duration_ms": round(report.duration_s * 1000, 2),
        "init_ms": None if report.init_s is None else round(report.init_s * 1000, 2),
        "memory_mb": report.peak_memory_mb,
        "memory_size_mb": report.memory_mb,
        "error_type": report.error_type,
    }


def _line(kind: str, level: str, message: str, further: Mapping[str, object], *, at: float | None = None) -> str:
    line = {"timestamp": iso(at), "level": level, "kind": kind, "message": message, **further}
    return visible_json(json.dumps(line, ensure_ascii=False))
