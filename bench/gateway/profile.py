"""What becomes of the time of one warm message: the emulator's own part, the runtime client's and the handler's."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve

from bench.gateway import client
from bench.gateway.floor import floor
from bench.gateway.peers import OURS, Running, peers
from bench.gateway.program import family
from bench.summary import median

_MESSAGES = 1000
_PACED, _PAUSE_S = 300, 0.02
_SIGNALS = 300
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Profile:
    """Medians in milliseconds; processor times are in milliseconds a message, None where the system does not tell."""

    round_trip: float
    client: float
    runtime_until_response: float
    runtime_until_next: float
    handler_until_post: float
    handler_until_response: float
    wake: float
    signals: float
    emulator_cpu: float | None
    functions_cpu: float | None

    @property
    def runtime_before(self) -> float:
        """The runtime client's time before the handler runs; it can be told from the time after only by halves."""
        return self.runtime_until_response / 2

    @property
    def handler_before(self) -> float:
        """The handler's time until its post is on the wire, boto3 nearly all of it."""
        return self.handler_until_post - self.runtime_before

    @property
    def emulator(self) -> float:
        """What is left of a round trip: the gateway, the Runtime API and waking the frozen process."""
        return self.round_trip - self.client - self.handler_until_post

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "handler_before": self.handler_before,
            "emulator": self.emulator,
        }

    def text(self) -> str:
        """Two Markdown tables."""
        after = self.handler_until_response + self.runtime_until_next
        lines = [
            "| one message's round trip, p50 | ms | share |",
            "|---|---:|---:|",
            self._row("all", self.round_trip),
            self._row("the client's library and the loopback", self.client),
            self._row("the runtime client (`awslambdaric`), until the handler runs", self.runtime_before),
            self._row("the handler: boto3, until its post is on the wire", self.handler_before),
            self._row("**the emulator**: gateway, Runtime API, waking the process", self.emulator),
            self._row("of that: freezing and waking (SIGSTOP, SIGCONT)", self.wake),
            "",
            f"After the echo has arrived, handler and runtime client take another {after:.2f} ms until they ask for "
            "the next invocation.",
        ]
        if self.emulator_cpu is not None and self.functions_cpu is not None:
            both = self.emulator_cpu + self.functions_cpu
            lines += [
                "",
                "| processor time of a message | ms | share |",
                "|---|---:|---:|",
                f"| **the emulator** (of that two signals: {self.signals:.3f} ms) | {self.emulator_cpu:.2f} | "
                f"{self.emulator_cpu / both:.0%} |",
                f"| the environments: runtime client, handler, boto3 | {self.functions_cpu:.2f} | "
                f"{self.functions_cpu / both:.0%} |",
            ]
        return "\n".join(lines)

    def _row(self, title: str, value: float) -> str:
        return f"| {title} | {value:.2f} | {value / self.round_trip:.0%} |"


def profile() -> Profile:
    """Measures. Raises `DidNotStart`, `TimeoutError` and what `websockets` raises."""
    echo = floor("MESSAGE", number=_PACED, pause_s=_PAUSE_S, within_s=_WITHIN_S)
    nothing = floor("CONNECT", number=_PACED, pause_s=_PAUSE_S, within_s=_WITHIN_S)
    plain, frozen, signals = _freezing()
    ours = next(peer for peer in peers() if peer.name == OURS)
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as scratch:
        running = ours.start(ours.install(), Path(scratch))
        try:
            round_trip, emulator, functions = uvloop.run(_through(running))
        finally:
            running.program.stop()
    return Profile(
        round_trip=round_trip * 1000,
        client=uvloop.run(_client_alone()) * 1000,
        runtime_until_response=median(nothing.until_response) * 1000,
        runtime_until_next=median(nothing.until_next) * 1000,
        handler_until_post=median(echo.until_post) * 1000,
        handler_until_response=median(echo.until_response) * 1000,
        wake=max(0.0, frozen - plain) * 1000,
        signals=signals * 1000,
        emulator_cpu=emulator,
        functions_cpu=functions,
    )


async def _through(running: Running) -> tuple[float, float | None, float | None]:
    """A round trip that nothing else disturbs, and the processor times of messages one right after the other."""
    await client.first(running.websocket, within_s=_WITHIN_S)
    await client.in_turn(running.websocket, 200, within_s=_WITHIN_S)
    async with await client.opened(running.websocket) as socket:
        paced = await _paced(socket)
    before = {pid: _cpu_s(pid) for pid in family(running.program.pid)}
    done = len((await client.in_turn(running.websocket, _MESSAGES, within_s=_WITHIN_S)).seconds)
    await asyncio.sleep(0.2)
    used = {pid: _cpu_s(pid) - before.get(pid, 0.0) for pid in family(running.program.pid)}
    if not any(used.values()):
        return paced, None, None
    emulator = used.pop(running.program.pid)
    return paced, emulator / done * 1000, sum(used.values()) / done * 1000


async def _paced(socket: ClientConnection) -> float:
    seconds = []
    for number in range(_PACED):
        await asyncio.sleep(_PAUSE_S)  # the invocation before is over, its environment frozen
        seconds.append(await client.round_trip(socket, f"message {number}"))
    return median(seconds)


async def _client_alone() -> float:
    """The same client against a server in the same loop that sends each message back at once."""

    async def back(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(back, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with await client.opened(f"ws://127.0.0.1:{port}") as socket:
            return await _paced(socket)


def _freezing() -> tuple[float, float, float]:
    """The time until a waiting process answers a line, unfrozen and frozen, and that of the two signals alone."""
    script = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        plain: list[float] = []
        frozen: list[float] = []
        signals: list[float] = []
        for number in range(2 * _SIGNALS):
            time.sleep(0.001)
            began = time.perf_counter()
            if number % 2:
                os.killpg(process.pid, signal.SIGSTOP)
                time.sleep(0.001)
                stopped = time.perf_counter()
                os.killpg(process.pid, signal.SIGCONT)
                signals.append(2 * (time.perf_counter() - stopped))
                began = stopped
            process.stdin.write(b"x\n")
            process.stdin.flush()
            process.stdout.readline()
            (frozen if number % 2 else plain).append(time.perf_counter() - began)
        process.stdin.close()
    return median(plain), median(frozen), median(signals)


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
