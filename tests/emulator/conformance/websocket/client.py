"""A client of the application in template.yaml: connects, scripts the functions, and reads what they wrote down."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.emulator.conformance.target import Target
from tests.live.kit.client import Client, Refusal, opened, refused
from tests.live.kit.control import Control

Json = Mapping[str, Any]
WAIT_S = 15


@dataclass(frozen=True)
class Connection(Client):
    """An open socket, and its connection's `$connect` event."""

    connected: Json
    application: Application

    @property
    def id(self) -> str:
        """The connection id."""
        return str(self.connected["requestContext"]["connectionId"])

    async def routed(self, count: int = 1) -> list[Json]:
        """The events that routes have got from this connection."""
        return await self.application.written(self.id, "route", count)

    async def disconnected(self) -> Json:
        """The `$disconnect` event."""
        return (await self.application.written(self.id, "disconnect"))[0]


@dataclass(frozen=True)
class Application:
    """Both APIs of the application. `main` has identity sources, `other` has none and no `$default` route."""

    main: Target
    other: Target
    functions: Any
    management: Any

    async def ledger(self, key: str) -> list[Json]:
        """What the functions have written for a run or a connection: `{"function", "event"}`, oldest first."""
        payload = json.dumps({"of": [key]})
        answer = await asyncio.to_thread(
            self.functions.invoke, FunctionName="conformance-ledger", Payload=payload.encode()
        )
        events: list[Json] = json.loads(answer["Payload"].read())["events"]
        return events

    async def written(self, key: str, function: str, count: int = 1) -> list[Json]:
        """The events that a function has got, as soon as there are so many."""
        until = time.monotonic() + WAIT_S
        while True:
            events = [each["event"] for each in await self.ledger(key) if each["function"] == function]
            if len(events) >= count:
                return events
            assert time.monotonic() < until, f"{len(events)} of {count} events for {function}"
            await asyncio.sleep(0.03)

    @asynccontextmanager
    async def connected(
        self,
        *,
        target: Target | None = None,
        do: Json | None = None,
        auth: Json | None = None,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> AsyncIterator[Connection]:
        """An open connection."""
        run = str(uuid.uuid4())
        address = _address(target or self.main, [("run", run), *_scripts(do, auth), *query])
        options = {"compression": None, "max_size": None, **options}
        async with opened(address, additional_headers=[("X-Run", run), *headers], **options) as client:
            (event,) = await self.written(run, "connect")
            yield Connection(client.socket, event, self)

    async def refused(
        self,
        *,
        target: Target | None = None,
        do: Json | None = None,
        auth: Json | None = None,
        run: str | None = None,
        query: Sequence[tuple[str, str]] | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        **options: Any,
    ) -> Refusal:
        """How a handshake fails. `query` and `headers` replace the identity sources if they are given."""
        run = run or str(uuid.uuid4())
        sources = [("run", run)] if query is None else [*query]
        given = [("X-Run", run)] if headers is None else [*headers]
        address = _address(target or self.main, [*sources, *_scripts(do, auth)])
        return await refused(address, additional_headers=given, **options)

    @property
    def control(self) -> Control:
        """The control endpoint, which only an emulator has."""
        return Control(self.main.root)


def connection_url(target: Target, connection_id: str) -> str:
    """The address of a connection, encoded as the documentation says."""
    return f"{target.http}/%40connections/{quote(connection_id, safe='')}"


def _address(target: Target, query: Sequence[tuple[str, str]]) -> str:
    return f"{target.websocket}?{urlencode(query)}" if query else target.websocket


def _scripts(do: Json | None, auth: Json | None) -> list[tuple[str, str]]:
    return [(name, json.dumps(script)) for name, script in (("do", do), ("auth", auth)) if script is not None]
