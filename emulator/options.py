"""The options of `python -m emulator`."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from emulator.console import FORMATS, LogFormat
from emulator.faults.limits import AllLimits
from emulator.faults.models import BadFault, StandingFault, parse_standing


@dataclass(frozen=True)
class Options:
    """What the emulator shall run and how. Times are in seconds."""

    template: Path = Path("template.yaml")
    host: str = "127.0.0.1"
    port: int = 3001
    tls_port: int = 0
    page: Path | None = None
    audience: str = "dayfly"
    schedule_every: float | None = None
    lost_events: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[StandingFault, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    passed: tuple[tuple[str, str], ...] = ()
    dynamodb_jar: Path | None = None
    data: Path | None = None
    exit_with: int | None = None
    log_format: LogFormat = "readable"
    limits: AllLimits = field(default_factory=AllLimits)


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Without the usage: so many options take more lines than what is wrong with one of them."""
        self.exit(2, f"emulator: {message} (--help shows all options)\n")


def parse(arguments: Sequence[str]) -> Options:
    """Read a command line; ends the program with one line if it is wrong."""
    parser = _Parser(
        prog="python -m emulator",
        description="Plays API Gateway WebSocket, Lambda and DynamoDB on this machine.",
        allow_abbrev=False,
    )
    default = Options()
    parser.add_argument("--template", type=Path, default=default.template, help="the SAM template (%(default)s)")
    parser.add_argument("--host", default=default.host, help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=default.port, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--tls-port", type=int, default=default.tls_port, metavar="PORT",
        help="where functions find the first API with https, further APIs after it; 0 takes free ones (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--page", type=Path, metavar="DIR", help="static files to serve at /; without it a status page is there"
    )
    parser.add_argument("--audience", default=default.audience, help="aud of the issuer's tokens (%(default)s)")
    parser.add_argument(
        "--parameter-overrides", nargs="+", action="extend", type=_pair, default=[], metavar="NAME=VALUE",
        help="values for the template's parameters",
    )  # fmt: skip
    parser.add_argument(
        "--env", nargs="+", action="extend", type=_pair, default=[], metavar="NAME=VALUE",
        help="environment variables of all functions, over the template's; {url} stands for the emulator's address",
    )  # fmt: skip
    parser.add_argument(
        "--pass", dest="passed", nargs="+", action="extend", type=_pair, default=[], metavar="FUNCTION=NAME",
        help="a variable of the shell, such as a key, for this function alone, over the template's",
    )  # fmt: skip
    parser.add_argument(
        "--limit", nargs="+", action="extend", type=_limit, default=[], metavar="NAME=NUMBER",
        help="shorten a quota, e.g. integration_timeout=2 (seconds) or frame_bytes=1024",
    )  # fmt: skip
    parser.add_argument("--schedule-every", type=float, metavar="SECONDS", help="run all schedules this often")
    parser.add_argument(
        "--lose-events", nargs="+", action="extend", type=_count, default=[], metavar="FUNCTION=NUMBER",
        help="lose the first asynchronous invocations of a function, to see what an application makes of it",
    )  # fmt: skip
    parser.add_argument(
        "--fault", nargs="+", action="extend", type=_fault, default=[], metavar="JSON",
        help='let something go wrong from the start, e.g. \'{"kind": "event_lost", "count": 3}\'; see docs/emulator.md',
    )  # fmt: skip
    parser.add_argument(
        "--dynamodb-jar", type=Path, metavar="PATH",
        help="DynamoDBLocal.jar: keep the tables in AWS's DynamoDB Local (needs Java) instead of moto",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="with --dynamodb-jar: keep the tables in this folder across restarts instead of in memory",
    )  # fmt: skip
    parser.add_argument(
        "--exit-with", type=_process_id, metavar="PID",
        help="end when the process with this id has ended, in whatever way: for test runners, which may be killed",
    )  # fmt: skip
    parser.add_argument(
        "--log-format", choices=FORMATS, default=default.log_format,
        help="readable: a line for an invocation; lambda: as CloudWatch has them, with START, END and REPORT; "
        "json: every line an object (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--json-logs", dest="log_format", action="store_const", const="json", help="short for --log-format json"
    )
    given = parser.parse_args(arguments)
    if given.data is not None and given.dynamodb_jar is None:
        parser.error("--data needs --dynamodb-jar: moto keeps nothing across restarts")
    limits = default.limits
    try:
        for name, value in given.limit:
            limits = limits.shortened(name, value)
    except ValueError as error:
        parser.error(str(error))
    return Options(
        template=given.template,
        host=given.host,
        port=given.port,
        tls_port=given.tls_port,
        page=given.page,
        audience=given.audience,
        schedule_every=given.schedule_every,
        lost_events=dict(given.lose_events),
        faults=tuple(given.fault),
        parameters=dict(given.parameter_overrides),
        environment=dict(given.env),
        passed=tuple(given.passed),
        dynamodb_jar=given.dynamodb_jar,
        data=given.data,
        exit_with=given.exit_with,
        limits=limits,
        log_format=given.log_format,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _process_id(text: str) -> int:
    # 1 ends with the machine, and is what a process whose parent has ended takes for its parent's.
    if not text.isdecimal() or int(text) <= 1:
        raise ArgumentTypeError(f"{text} is no process id")
    return int(text)


def _limit(text: str) -> tuple[str, float]:
    name, value = _pair(text)
    try:
        return name, float(value)
    except ValueError as error:
        raise ArgumentTypeError(f"{name}={value} is no number") from error


def _fault(text: str) -> StandingFault:
    try:
        return parse_standing(text)
    except BadFault as error:
        raise ArgumentTypeError(f"{text}: {error}") from error


def _count(text: str) -> tuple[str, int]:
    name, value = _pair(text)
    if not value.isdecimal():
        raise ArgumentTypeError(f"{name}={value} is no number of events")
    return name, int(value)
