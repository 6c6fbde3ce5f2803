"""The emulator's control endpoint, asked without a library of its own."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

ENGINE, ROUTER, RECOVERY = "EngineFunction", "RouterFunction", "RecoveryFunction"


class Control:
    """Injects faults into one emulator and counts them."""

    def __init__(self, url: str) -> None:
        self._url = url + "/_emulator/faults"
        self._counts: Counter[str] = Counter()
        self._unstruck: Counter[str] = Counter()
        self.injected: list[tuple[float, str]] = []
        """When (seconds since the epoch) what was injected."""

    async def inject(self, kind: str, **fields: object) -> dict[str, Any]:
        """Lets a fault stand, or does a thing at once; the answer is the emulator's. A refusal (a connection that has
        just been closed) is answered with an empty one."""
        try:
            answer = await asyncio.to_thread(self._ask, "POST", {"kind": kind, **fields})
        except urllib.error.HTTPError:
            return {}
        if "killed" in answer:
            self._note(f"{kind} {fields.get('function')}", answer["killed"])
        elif "closed" in answer:
            self._note(kind, answer["closed"])
        else:
            self._note(self._name(answer["fault"]), answer["left"] or 1)
        return answer

    def _note(self, name: str, count: int) -> None:
        self.injected.append((time.time(), name))
        self._counts[name] += count

    async def withdraw(self, answer: dict[str, Any]) -> None:
        """Ends one fault, as its injection was answered, where it has not struck yet."""
        if "id" not in answer:
            return
        try:
            await asyncio.to_thread(self._ask, "DELETE", None, f"/{answer['id']}")
        except urllib.error.HTTPError:
            return
        self._unstruck[self._name(answer["fault"])] += 1

    async def standing(self) -> list[dict[str, Any]]:
        """The faults that have not struck yet."""
        found: list[dict[str, Any]] = (await asyncio.to_thread(self._ask, "GET"))["faults"]
        return found

    async def connections(self) -> list[str]:
        """The ids of the open sockets, oldest first."""
        listed = await asyncio.to_thread(self._ask, "GET")
        return [connection["id"] for connection in listed["connections"]]

    async def calm(self) -> None:
        """Ends all faults."""
        for entry in await self.standing():
            self._unstruck[self._name(entry["fault"])] += entry["left"] or 0
        await asyncio.to_thread(self._ask, "DELETE")

    def struck(self) -> Counter[str]:
        """How often each kind of fault struck, once `calm`."""
        return self._counts - self._unstruck

    def _name(self, fault: dict[str, Any]) -> str:
        target = fault.get("function") or fault.get("operation")
        return f"{fault['kind']} {target}" if target else str(fault["kind"])

    def _ask(self, method: str, body: dict[str, object] | None = None, below: str = "") -> dict[str, Any]:
        request = urllib.request.Request(self._url + below, headers={"Content-Type": "application/json"}, method=method)
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            said: dict[str, Any] = json.load(answer)
        return said
