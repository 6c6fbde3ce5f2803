"""Structured logs: one JSON object a line, with the ids of what the invocation is about.

The core logs through the standard library under the name `dayfly`; here it gets Powertools' formatter. Neither tokens
nor message text are ever logged: nothing in this backend hands an event or a frame to a logger.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from aws_lambda_powertools.logging.types import PowertoolsLogRecord

LIBRARY: Final = "dayfly"


class Redaction(Protocol):
    """Keeps out of a text what must not be logged."""

    def redact(self, text: str) -> str: ...


class _Formatter(LambdaPowertoolsFormatter):
    """Lets a line name a thread: `thread` is taken in the standard library's records, so it comes as `thread_id`."""

    redaction: Redaction | None = None

    def serialize(self, log: "dict[str, Any] | PowertoolsLogRecord") -> str:
        line: dict[str, Any] = {**log}
        if "thread_id" in line:
            line["thread"] = line.pop("thread_id")
        text = super().serialize(line)
        return text if self.redaction is None else self.redaction.redact(text)


class _RedactingFormatter(logging.Formatter):
    """Another handler's formatter, whose lines it redacts."""

    def __init__(self, inner: logging.Formatter, redaction: Redaction) -> None:
        super().__init__()
        self._inner = inner
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        return self._redaction.redact(self._inner.format(record))


class _StdoutHandler(logging.Handler):
    """Writes to standard output as it is at that moment, as metrics do: the runtime may exchange it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # as the standard library's handlers do: a log line breaks no invocation
            self.handleError(record)


class Logs:
    """The one handler of the library's logger, and the ids that stand in every line until the next invocation."""

    def __init__(self, *, service: str, level: str) -> None:
        self._service = service
        self._formatter = _Formatter(utc=True)
        handler = _StdoutHandler()
        handler.setFormatter(self._formatter)
        library = logging.getLogger(LIBRARY)
        library.handlers = [handler]
        library.setLevel(level)
        library.propagate = False  # the runtime's own handler would print each line a second time
        # boto3 tells at INFO, in each cold start, where it found credentials and endpoints: nobody's news.
        logging.getLogger("botocore").setLevel(logging.WARNING)

    def redact_with(self, redaction: Redaction) -> None:
        """Redacts each line from now on: this library's, and what others log by way of the runtime's own handlers. What
        a tool prints is not a log line, and is not seen here."""
        self._formatter.redaction = redaction
        for handler in logging.getLogger().handlers:
            handler.setFormatter(_RedactingFormatter(handler.formatter or logging.Formatter(), redaction))

    def start(self, *, function_request_id: str, cold_start: bool) -> None:
        """Forgets the last invocation's ids."""
        self._formatter.clear_state()
        self._formatter.append_keys(
            service=self._service, function_request_id=function_request_id, cold_start=cold_start
        )

    def bind(self, **ids: str) -> None:
        """Adds ids (`user`, `thread`, `run`, `connection`, `request`) to every line of this invocation."""
        self._formatter.append_keys(**ids)
