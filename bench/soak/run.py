"""Opens the connections, keeps the traffic going, and judges."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from bench.soak.client import Client
from bench.soak.ledger import Ledger
from bench.soak.memory import Memory
from bench.soak.plan import Plan
from bench.soak.program import Program
from bench.soak.verdict import Verdict

TEMPLATE = Path(__file__).parent / "app/template.yaml"
_OPENING = 50  # at once
# Shares of the messages.
_MIX = {"echo": 45, "relay": 25, "later": 15, "large": 10, "fragmented": 5}


async def soak(plan: Plan) -> Verdict:
    """Run it all; the verdict tells what was lost and what grew."""
    _allow_files(plan.connections * 2 + 200)
    ledger = Ledger()
    program = Program(TEMPLATE)
    async with program:
        crowd = _Crowd(plan, program.websocket, ledger)
        began = time.monotonic()
        await crowd.open()
        opened_s = time.monotonic() - began
        memory = Memory(program.pid)
        looking = asyncio.create_task(memory.run(plan.sample_s))
        try:
            await crowd.talk()
            await ledger.settled(plan.answer_s)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        died = crowd.died()
        await crowd.close()
        await program.calm()  # its end would cut the last `$disconnect` off, and that is no trouble
    return Verdict(plan=plan, ledger=ledger, memory=memory, program=program, opened_s=opened_s, died=died)


class _Crowd:
    def __init__(self, plan: Plan, url: str, ledger: Ledger) -> None:
        self._plan = plan
        self._url = url
        self._ledger = ledger
        self._numbers = iter(range(1 << 62))
        self._clients: list[Client] = []
        self._died = 0

    async def open(self) -> None:
        """All of them, some at once."""
        gate = asyncio.Semaphore(_OPENING)

        async def one() -> None:
            async with gate:
                self._clients.append(await self._new())

        await asyncio.gather(*(one() for _ in range(self._plan.connections)))

    async def talk(self) -> None:
        """Until the time is over."""
        until = time.monotonic() + self._plan.duration_s
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(until))
            group.create_task(self._churn(until))

    async def close(self) -> None:
        """Say goodbye."""
        await asyncio.gather(*(client.close() for client in self._clients))

    def died(self) -> int:
        """Connections that ended without our doing."""
        return self._died + sum(client.lost for client in self._clients)

    async def _new(self) -> Client:
        client = Client(next(self._numbers), self._url, self._ledger)
        await client.open()
        return client

    async def _send(self, until: float) -> None:
        kinds, shares = list(_MIX), list(_MIX.values())
        due = time.monotonic()
        while due < until:
            await asyncio.sleep(due - time.monotonic())
            due += random.expovariate(self._plan.rate)
            [kind] = random.choices(kinds, shares)
            # Who closes the connection hands on nothing more: a connection that churns is not in the list.
            client, other = random.choice(self._clients), random.choice(self._clients)
            with suppress(ConnectionClosed):  # counted by `died`
                await _say(client, kind, other)

    async def _churn(self, until: float) -> None:
        due = time.monotonic()
        while due < until:
            await asyncio.sleep(due - time.monotonic())
            due += random.expovariate(self._plan.churn)
            client = self._clients.pop(random.randrange(len(self._clients)))
            await self._ledger.settled(self._plan.answer_s, client.number)
            self._died += client.lost
            await client.close(rude=random.random() < 0.5)
            self._clients.append(await self._new())


async def _say(client: Client, kind: str, other: Client) -> None:
    match kind:
        case "echo":
            await client.echo()
        case "relay":
            await client.relay(other)
        case "later":
            await client.later()
        case "large":
            await client.large()
        case _:
            await client.fragmented()


def _allow_files(wanted: int) -> None:
    """Each connection is a descriptor, here and in the emulator, which inherits the bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
