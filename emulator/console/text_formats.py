"""The formats for people: a line for an invocation, or what CloudWatch would have."""

import logging
from collections.abc import Iterable

from emulator.console.banner import Started, banner
from emulator.console.function_line import parse
from emulator.console.terminal import DIM, RED, YELLOW, Clock, Colours, visible
from emulator.functions import LogLine
from emulator.functions.log import Report

_WIDEST = 32
_LEVELS = {"warning": YELLOW, "error": RED}
# Said by the summary as well.
_ROUTINE = ("START ", "END ", "INIT_START ", '{"time":')
_FORMATTER = logging.Formatter()


class Readable:
    """One line for an invocation, and below the function's name what it said meanwhile.

    Each function keeps its colour for as long as the template stays as it is.
    """

    def __init__(self, colours: Colours, functions: Iterable[str]) -> None:
        names = list(functions)
        self._colours = colours
        self._codes = {name: colours.of_function(index) for index, name in enumerate(names)}
        self._width = min(max((len(name) for name in names), default=0), _WIDEST)
        self._clock = Clock()

    def function_line(self, line: LogLine) -> str:
        """Nothing for Lambda's own lines that the summary replaces."""
        if line.report is not None:
            return self._row(line.function, self._summary(line.report))
        if line.source == "function":
            return self._said(line)
        if line.source == "notice":
            code = _LEVELS.get(line.level)
            return self._rows(line.function, visible(line.text), *(() if code is None else (code,)))
        if line.text.startswith(_ROUTINE) or " Task timed out after " in line.text:
            return ""
        return self._rows(line.function, visible(line.text.replace("\t", "  ")), RED)

    def own_line(self, record: logging.LogRecord) -> str:
        """`TIME text`."""
        level = "error" if record.levelno >= logging.ERROR else "warning" if record.levelno >= logging.WARNING else ""
        text = self._paint_level(visible(own_text(record)), level)
        return f"{self._colours.paint(self._clock(record.created), DIM)} {text}"

    def started(self, started: Started) -> str:
        """The banner."""
        return banner(started, self._colours)

    def failed(self, message: str) -> str:
        """`emulator: why`."""
        return f"emulator: {self._colours.paint(message, RED)}"

    def _summary(self, report: Report) -> str:
        status = {None: "ok", "timeout": "timed out", "error": "error"}[report.status]
        if report.status == "error" and report.error_type:
            status = f"error {visible(report.error_type)}"
        used = "?" if report.peak_memory_mb is None else report.peak_memory_mb
        outcome = self._colours.paint(f"{status:<9}", *(() if report.status is None else (RED,)))
        figures = f"{report.duration_s * 1000:>8.1f} ms  {f'{used}/{report.memory_mb}':>9} MB"
        cold = "" if report.init_s is None else f"  cold start {report.init_s * 1000:.0f} ms"
        return f"{outcome} {figures}  {self._colours.paint(report.request_id[:8], DIM)}{cold}"

    def _said(self, line: LogLine) -> str:
        said = parse(line.text)
        level = f"{said.level} " if said.level else ""
        codes = (RED,) if said.bad else (YELLOW,) if said.level in {"WARN", "WARNING"} else ()
        return self._rows(line.function, visible(level + said.text), *codes, mark="| ")

    def _rows(self, function: str, text: str, *codes: str, mark: str = "") -> str:
        """Time and function before the first line, the others below it."""
        first, *rest = (mark + self._colours.paint(each, *codes) for each in text.split("\n"))
        blank = " " * (len("HH:MM:SS.mmm ") + self._width)
        return "\n".join([self._row(function, first), *(f"{blank} {each}" for each in rest)])

    def _row(self, function: str, text: str) -> str:
        name = self._colours.paint(f"{function:<{self._width}}", self._codes.get(function, DIM))
        return f"{self._colours.paint(self._clock(), DIM)} {name} {text}"

    def _paint_level(self, text: str, level: str) -> str:
        code = _LEVELS.get(level)
        return text if code is None else self._colours.paint(text, code)


class AsLambda:
    """Lines as CloudWatch has them, with START, END and REPORT, each after the function's name.

    Nothing is left out, and nothing changed but control characters.
    """

    def __init__(self) -> None:
        self._clock = Clock()

    def function_line(self, line: LogLine) -> str:
        """`TIME [function] text`."""
        return f"{self._clock()} {f'[{line.function}]':<12} {visible(line.text)}"

    def own_line(self, record: logging.LogRecord) -> str:
        """`TIME text`."""
        return f"{self._clock(record.created)} {visible(own_text(record))}"

    def started(self, started: Started) -> str:
        """The banner."""
        return banner(started, Colours(on=False))

    def failed(self, message: str) -> str:
        """`emulator: why`."""
        return f"emulator: {message}"


def own_text(record: logging.LogRecord) -> str:
    """What it says; with the traceback if the emulator itself is wrong."""
    text = record.getMessage()
    return f"{text}\n{_FORMATTER.formatException(record.exc_info)}" if record.exc_info else text
