"""Structured logs: one JSON object a line, with the ids of what the invocation is about.

The core logs through the standard library under the name `dayfly`; here it gets Powertools' formatter. Neither tokens
nor message text are ever logged: nothing in this backend hands an event or a frame to a logger.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from aws_lambda_powertools.logging.types import PowertoolsLogRecord

LIBRARY: Final = "dayfly"


class _Formatter(LambdaPowertoolsFormatter):
    """Lets a line name a thread: `thread` is taken in the standard library's records, so it comes as `thread_id`."""

    def serialize(self, log: "dict[str, Any] | PowertoolsLogRecord") -> str:
        line: dict[str, Any] = {**log}
        if "thread_id" in line:
            line["thread"] = line.pop("thread_id")
        return super().serialize(line)


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

    def start(self, *, function_request_id: str, cold_start: bool) -> None:
        """Forgets the last invocation's ids."""
        self._formatter.clear_state()
        self._formatter.append_keys(
            service=self._service, function_request_id=function_request_id, cold_start=cold_start
        )

    def bind(self, **ids: str) -> None:
        """Adds ids (`user`, `thread`, `run`, `connection`, `request`) to every line of this invocation."""
        self._formatter.append_keys(**ids)
