"""A line of the emulator's own loggers."""

from __future__ import annotations

import logging

_FORMATTER = logging.Formatter()


def own_text(record: logging.LogRecord) -> str:
    """What it says; with the traceback if the emulator itself is wrong."""
    text = record.getMessage()
    return f"{text}\n{_FORMATTER.formatException(record.exc_info)}" if record.exc_info else text
