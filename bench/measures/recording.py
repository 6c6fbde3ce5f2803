"""How many AWS calls and bytes does a run take, and what would it cost? Counted at the boundary, by a proxy."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.emulated import Emulated, copy_floor
from bench.prices import Billed, Prices
from bench.proxy import Proxy
from bench.recorder import STARTED, Session, lead_through, until_started
from bench.report import Cell, Section
from bench.socket import Socket
from bench.stage import FUNCTIONS, as_deployed

FLOOR: Final = {"FrontFunction": "front", "WorkerFunction": "worker"}
QUESTION: Final = "What is 17 * 23?"
STORY: Final = "tell me a long story, slowly"
RUNS: Final = 1000
_PARTS: Final[dict[Billed, str]] = {
    "websocket_message": "API Gateway",
    "connection_minute": "API Gateway",
    "lambda_request": "Lambda",
    "lambda_gb_second": "Lambda",
    "dynamodb_read": "DynamoDB",
    "dynamodb_write": "DynamoDB",
    "log_gb": "logs",
}


async def recording() -> list[Section]:
    """Records three sessions of one user: a first one that meets cold environments, a question, a story."""
    async with as_deployed() as stage:
        cold = await stage.recorder.session("first session, all cold", QUESTION, cold=True)
        question = await stage.recorder.session(f"“{QUESTION}”", QUESTION)
        story = await stage.recorder.session("a story", STORY)
    return [
        _calls(question, key="calls_question"),
        _calls(story, key="calls_story"),
        _beside_floor(until_started(question.run.calls, front="router"), await _floor_calls()),
        _totals((cold, question, story)),
        _costs((cold, question, story)),
    ]


def _calls(session: Session, *, key: str) -> Section:
    rows: list[tuple[Cell, ...]] = []
    for phase in (session.connection, session.run):
        counted = Counter((call.function, call.api) for call in phase.calls)
        for function, api in sorted(counted, key=lambda key: (list(FUNCTIONS.values()).index(key[0]), key[1])):
            these = [call for call in phase.calls if (call.function, call.api) == (function, api)]
            units = phase.units[function, api]
            sent, received = sum(call.sent for call in these), sum(call.received for call in these)
            rows.append((phase.name, function, api, len(these), sent, received, units.read, units.write))
    return Section(
        key=key,
        title=f"AWS calls of one session: {session.name}, {session.exchange.seconds:.1f} s on an open connection",
        columns=("phase", "function", "API", "calls", "bytes out", "bytes in", "read units", "write units"),
        rows=tuple(rows),
        notes=("connection: connecting with its warm-up, and disconnecting", "bytes: heads and bodies"),
    )


async def _floor_calls() -> dict[str, int]:
    with TemporaryDirectory(prefix="bench-") as folder:
        async with Proxy(tuple(FLOOR.values())) as proxy:
            template = copy_floor(Path(folder))
            lead_through(template, proxy, FLOOR)
            async with Emulated(template) as floor, Socket(floor.url) as echo:
                await echo.run(QUESTION, until=STARTED, user="bench")
                await floor.settled()
                return until_started(tuple(proxy.calls), front="front")


def _beside_floor(ours: dict[str, int], floor: dict[str, int]) -> Section:
    names = sorted({*ours, *floor})
    return Section(
        key="calls_until_started",
        title="Calls of a run until agent_started is posted, beside the floor of the path",
        columns=("API", "calls", "floor"),
        rows=tuple((name, ours.get(name, 0), floor.get(name, 0)) for name in names),
        notes=("the floor of the path is a floor only as long as the two columns agree",),
    )


def _totals(sessions: Sequence[Session]) -> Section:
    rows = []
    for session in sessions:
        for phase in (session.connection, session.run):
            aws = [call for call in phase.calls if not call.api.startswith("(")]
            amounts = phase.usage.amounts
            rows.append(
                (
                    session.name,
                    phase.name,
                    len(aws),
                    sum(call.sent for call in aws),
                    sum(call.received for call in aws),
                    amounts["dynamodb_read"],
                    amounts["dynamodb_write"],
                    phase.log_bytes,
                    int(amounts["websocket_message"]),
                    int(amounts["lambda_request"]),
                    amounts["lambda_gb_second"],
                    round(amounts["log_gb"] * 1024**3),
                )
            )
    return Section(
        key="usage",
        title="What a session uses",
        columns=(
            "session", "phase", "AWS calls", "bytes out", "bytes in", "read units", "write units", "run log bytes",
            "messages", "invocations", "GB-s", "log line bytes",
        ),
        rows=tuple(rows),
        notes=(
            "run log bytes: size of the LOG# items written; log line bytes: what functions and platform printed",
            "GB-s: billed durations on this machine, which is no Lambda; real models take longer than the demo model",
        ),
    )  # fmt: skip


def _costs(sessions: Sequence[Session]) -> Section:
    prices = Prices.read()
    parts = tuple(dict.fromkeys(_PARTS.values()))
    rows = []
    for session in sessions:
        for phase in (session.connection, session.run):
            costs: defaultdict[str, float] = defaultdict(float)
            for name, amount in phase.usage.amounts.items():
                costs[_PARTS[name]] += amount * prices.prices[name].per * RUNS
            rows.append((session.name, phase.name, *(costs[part] for part in parts), sum(costs.values())))
    return Section(
        key="cost",
        title=f"Cost per {RUNS:,} runs, {prices.currency}, list prices of {prices.region} as of {prices.dated}",
        columns=("session", "phase", *parts, "sum"),
        rows=tuple(rows),
        notes=(
            f"connection: per {RUNS:,} connections; a connection may carry many runs",
            *(f"not counted: {what}" for what in prices.not_counted),
        ),
    )
