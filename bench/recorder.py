"""Records sessions at the boundary of the functions: every call that they make goes through a counting proxy."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from bench.capacity import Meter, Units
from bench.emulated import ENGINE, Emulated
from bench.proxy import Call, Proxy
from bench.socket import Exchange, Socket, token_for
from bench.usage import Usage, of_lines, of_messages, of_units

STARTED = frozenset({"agent_started"})


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a session."""

    name: str
    calls: tuple[Call, ...]
    units: dict[tuple[str, str], Units]
    usage: Usage
    log_bytes: int
    log_items: int


@dataclass(frozen=True, slots=True)
class Session:
    """One connection with one run: what connecting and leaving took, and what the run took."""

    name: str
    connection: Phase
    run: Phase
    exchange: Exchange


def lead_through(template: Path, proxy: Proxy, functions: Mapping[str, str]) -> None:
    """Gives each function (logical id and the proxy's name for it) its own port of the proxy. JSON is YAML too."""
    document = yaml_parse(template.read_text(encoding="utf-8"))
    for logical_id, function in functions.items():
        environment = document["Resources"][logical_id]["Properties"].setdefault("Environment", {})
        environment.setdefault("Variables", {})["HTTP_PROXY"] = proxy.urls[function]
    template.write_text(json.dumps(document), encoding="utf-8")


class Recorder:
    """Follows one application, whose functions were led through the proxy, from its first call on."""

    def __init__(self, app: Emulated, proxy: Proxy, functions: Mapping[str, str]) -> None:
        self._app = app
        self._proxy = proxy
        self._functions = functions
        self._meter = Meter()
        self._lines = 0
        self._calls = 0

    async def session(self, name: str, text: str, *, cold: bool = False) -> Session:
        """One connection with one run, from connecting to the last trace of leaving. `cold`: the warm-up at connect
        has to start the engine first."""
        token = token_for(self._app.url, "bench")
        before = self._app.begun(ENGINE)
        began = time.perf_counter()
        async with Socket(self._app.url, token=token) as chat:
            if cold:
                await self._app.until(lambda: self._app.begun(ENGINE) > before)
            await self._app.settled()
            connecting = self.phase("connect")
            exchange = await chat.run(text)
            await self._app.settled()
            running = self.phase("run", (exchange.sent, *exchange.received))
        connected_s = time.perf_counter() - began
        await self._app.settled()
        leaving = self.phase("disconnect")
        minutes = of_messages((), connected_s=connected_s)
        connection = Phase(
            "connection",
            (*connecting.calls, *leaving.calls),
            {key: connecting.units.get(key, Units()) + leaving.units.get(key, Units())
             for key in {**connecting.units, **leaving.units}},
            connecting.usage + leaving.usage + minutes,
            connecting.log_bytes + leaving.log_bytes,
            connecting.log_items + leaving.log_items,
        )  # fmt: skip
        return Session(name, connection, running, exchange)

    def phase(self, name: str, messages: tuple[int, ...] = ()) -> Phase:
        """All since the last phase ended. `messages` are the sizes in bytes of what went over sockets."""
        calls = tuple(self._proxy.calls[self._calls :])
        self._calls += len(calls)
        units: defaultdict[tuple[str, str], Units] = defaultdict(Units)
        bytes_before, items_before = self._meter.log_bytes, self._meter.log_items
        for call in calls:
            units[call.function, call.api] += self._meter.take(call)
        usage = of_messages(messages, connected_s=0) + of_units(sum(units.values(), Units()))
        lines = len(self._app.lines)
        for logical_id in self._functions:
            usage += of_lines(self._app.of(logical_id, since=self._lines))
        self._lines = lines
        return Phase(
            name,
            calls,
            dict(units),
            usage,
            log_bytes=self._meter.log_bytes - bytes_before,
            log_items=self._meter.log_items - items_before,
        )


def until_started(calls: tuple[Call, ...], *, front: str) -> dict[str, int]:
    """Calls by API that a run needs until `agent_started` is posted: all of the function in front, and those behind it
    up to that post."""
    counted: defaultdict[str, int] = defaultdict(int)
    behind = [call for call in calls if call.function != front]
    last = next(
        n for n, call in enumerate(behind) if call.api == "PostToConnection" and b'"agent_started"' in call.request
    )
    for call in (*(call for call in calls if call.function == front), *behind[: last + 1]):
        counted[call.api] += 1
    return dict(counted)
