"""The emulator's control endpoint, asked without a library of its own."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

WAIT_S: Final = 30.0
LOOK_S: Final = 0.02
ENGINE, ROUTER, RECOVERY = "EngineFunction", "RouterFunction", "RecoveryFunction"


def order(url: str, what: str, body: object = None, *, method: str | None = None) -> dict[str, Any]:
    """One request to `_emulator/{what}` of the emulator at `url`, POST if there is a body; its answer.

    Raises:
        urllib.error.HTTPError: it was refused.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/_emulator/{what}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        said = answer.read()
    return json.loads(said) if said else {}


class Control:
    """Injects faults into one emulator and counts them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._counts: Counter[str] = Counter()
        self._unstruck: Counter[str] = Counter()
        self.injected: list[tuple[float, str]] = []
        """When (seconds since the epoch) what was injected."""

    async def inject(self, kind: str, **fields: object) -> dict[str, Any]:
        """Lets a fault stand, or does a thing at once; the answer is the emulator's. A refusal (a connection that has
        just been closed) is answered with an empty one."""
        try:
            answer = await asyncio.to_thread(order, self._url, "faults", {"kind": kind, **fields})
        except urllib.error.HTTPError:
            return {}
        if "killed" in answer:
            self._note(f"{kind} {fields.get('function')}", answer["killed"])
        elif "closed" in answer:
            self._note(kind, answer["closed"])
        else:
            self._note(self._name(answer["fault"]), answer["left"] or 1)
        return answer

    async def withdraw(self, answer: dict[str, Any]) -> None:
        """Ends one fault, as its injection was answered, where it has not struck yet."""
        if "id" not in answer:
            return
        try:
            await asyncio.to_thread(order, self._url, f"faults/{answer['id']}", method="DELETE")
        except urllib.error.HTTPError:
            return
        self._unstruck[self._name(answer["fault"])] += 1

    async def standing(self) -> list[dict[str, Any]]:
        """The faults that have not struck yet."""
        found: list[dict[str, Any]] = (await asyncio.to_thread(order, self._url, "faults"))["faults"]
        return found

    async def until_struck(self) -> None:
        """Returns when no fault stands any more. What is delayed by one may still wait."""
        async with asyncio.timeout(WAIT_S):
            while True:
                if not await self.standing():
                    return
                await asyncio.sleep(LOOK_S)

    async def connections(self) -> list[str]:
        """The ids of the open sockets, oldest first."""
        listed = await asyncio.to_thread(order, self._url, "faults")
        return [connection["id"] for connection in listed["connections"]]

    async def calm(self) -> None:
        """Ends all faults."""
        for entry in await self.standing():
            self._unstruck[self._name(entry["fault"])] += entry["left"] or 0
        await asyncio.to_thread(order, self._url, "faults", method="DELETE")

    def struck(self) -> Counter[str]:
        """How often each kind of fault struck, once `calm`."""
        return self._counts - self._unstruck

    @asynccontextmanager
    async def limits(self, **limits: float) -> AsyncIterator[None]:
        """Other limits for a block, for open sockets too."""
        await asyncio.to_thread(order, self._url, "limits", {"limits": limits})
        try:
            yield
        finally:
            await asyncio.to_thread(order, self._url, "limits", method="DELETE")

    def _note(self, name: str, count: int) -> None:
        self.injected.append((time.time(), name))
        self._counts[name] += count

    def _name(self, fault: dict[str, Any]) -> str:
        target = fault.get("function") or fault.get("operation")
        return f"{fault['kind']} {target}" if target else str(fault["kind"])
