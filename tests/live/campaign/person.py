"""A user with a few devices, who says things."""

import asyncio
import random
from dataclasses import dataclass, field

from tests.live.kit.client import Frame
from tests.live.kit.device import Device
from tests.live.kit.ledger import Admitted, Ledger

END_S = 180.0
"""Longer than any promise: a run that has not ended by then hangs."""


@dataclass
class Person:
    """A user. The first device is the one that is mostly in hand."""

    name: str
    devices: list[Device]
    ledger: Ledger
    rng: random.Random
    notes: dict[str, str] = field(default_factory=dict)
    """By what each note says, the run that was to keep it."""
    forgettings: dict[str, str] = field(default_factory=dict)
    """By what a note says, the run that was to delete it."""
    titles: dict[str, str] = field(default_factory=dict)
    """By thread, what it was renamed to."""
    threads: list[str] = field(default_factory=list)

    def any_device(self) -> Device:
        """Whichever is at hand."""
        return self.rng.choice(self.devices)

    def a_thread(self) -> str | None:
        """One to go on with, or none for a new one."""
        return self.rng.choice(self.threads) if self.threads and self.rng.random() < 0.5 else None

    async def try_to_say(
        self,
        text: str,
        *,
        kind: str,
        device: Device | None = None,
        expects: str = "",
        final: frozenset[str] = frozenset(),
        request_id: str | None = None,
        thread_id: str | None = None,
        agent: str | None = None,
        if_busy: str | None = None,
    ) -> Admitted | Frame:
        """Says it; returns the run, or the error that refused it."""
        device = device or self.devices[0]
        request_id = request_id or device.next_id()
        fields = {"text": text, "thread_id": thread_id, "agent": agent, "if_busy": if_busy}
        given = {name: value for name, value in fields.items() if value is not None}
        reply = await device.request("run", given, request_id=request_id, final=final)
        if reply["type"] != "accepted":
            return reply
        admitted = Admitted(reply["run_id"], reply["thread_id"], self.name, request_id, kind, expects)
        self.ledger.admit(admitted)
        if admitted.thread_id not in self.threads:
            self.threads.append(admitted.thread_id)
        for other in self.devices:
            if other is not device and self.rng.random() < 0.7:
                other.follow(admitted.thread_id, runs=(admitted.run_id,))
        return admitted

    async def say(
        self,
        text: str,
        *,
        kind: str,
        device: Device | None = None,
        expects: str = "",
        thread_id: str | None = None,
        agent: str | None = None,
        if_busy: str | None = None,
    ) -> Admitted:
        """Says it, where nothing but an acceptance makes sense."""
        said = await self.try_to_say(
            text, kind=kind, device=device, expects=expects, thread_id=thread_id, agent=agent, if_busy=if_busy
        )
        assert isinstance(said, Admitted), f"{text!r} of {self.name} was refused: {said}"
        return said

    async def see_ends(self, *runs: Admitted) -> None:
        """Waits on the first device until all of these have ended."""
        for run in runs:
            device = next(one for one in self.devices if one.run(run.run_id) is not None)
            await device.end_of(run.run_id, wait_s=END_S)

    async def pause(self, least: float, most: float) -> None:
        """Thinks for a while."""
        await asyncio.sleep(self.rng.uniform(least, most))
