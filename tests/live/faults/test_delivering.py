"""Readers that are slow, stuck, gone or restless hold back nobody."""

import asyncio
import re
import socket
import time
from collections.abc import Callable

from tests.live.kit.chat import Chat, dial
from tests.live.kit.client import Client, Frame
from tests.live.kit.control import ENGINE, Control
from tests.live.kit.emulator import EmulatorProcess
from tests.live.kit.reducer import TERMINAL
from tests.live.kit.steps import accepted, kinds, speaks, whole

LOT_KB = 5000
"""Twice what the system itself takes in for a reader that does not read."""
BUFFER_BYTES = 64 * 1024
RESTLESS_TURNS = 20
ENGINE_MB = 300
"""What an engine may use at most, of which its libraries take some 130: less than all that is said, many times over."""


class StuckReader:
    """A socket that nobody reads from until `awake` is called."""

    def __init__(self, url: str, user: str) -> None:
        self._url, self._user = url, user
        self._client: Client | None = None

    async def open(self) -> None:
        """Connects, with as little room for unread bytes as the system allows."""
        host, port = self._url.removeprefix("http://").split(":")
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        plain.connect((host, int(port)))
        plain.setblocking(False)
        self._client = await dial(self._url, self._user, sock=plain, max_queue=1, ping_interval=None)

    async def send(self, action: str, **fields: object) -> None:
        """Sends a request whose answer nobody will read for now."""
        assert self._client is not None
        await self._client.send(action, id="stuck", **fields)

    async def awake(self) -> list[Frame]:
        """Reads all that has piled up, and on to a terminal event."""
        assert self._client is not None
        frames: list[Frame] = []
        async with asyncio.timeout(30):
            while not frames or frames[-1]["type"] not in TERMINAL:
                frames.append(await self._client.receive())
        return frames

    async def close(self) -> None:
        """Leaves."""
        assert self._client is not None
        await self._client.socket.close()


async def test_a_stuck_reader_holds_back_nobody(
    swept: EmulatorProcess, user: str, faults: Control, record_property: Callable[[str, object], None]
) -> None:
    """One device reads nothing while much is said: the other one has it all, live and soon; the engine keeps little of
    what can't be sent; and the stuck one, when it wakes, is sent the end."""
    stuck = StuckReader(swept.url, user)
    await faults.inject("kill_environments", function=ENGINE)  # so that none of before counts
    printed = len(swept.lines)
    async with faults.limits(send_buffer_bytes=BUFFER_BYTES), Chat(swept.url, user) as reader:
        first = await accepted(reader, "x", agent="nobody")
        await reader.end_of(first["run_id"])
        await stuck.open()
        await stuck.send("attach", thread_id=first["thread_id"])
        began = time.monotonic()
        run = await accepted(reader, f"Say {LOT_KB} KB", agent="wordy", thread_id=first["thread_id"])
        end = await reader.end_of(run["run_id"], wait_s=60)
        assert time.monotonic() - began < 45
        assert end["type"] == "agent_completed"
        told = [frame for frame in await stuck.awake() if "seq" in frame]
        assert told[-1] == end
        assert len(told) < end["seq"] - 100, "it was not stuck"
        assert kinds(await whole(reader, run))[-1] == "agent_completed"
    await stuck.close()
    used = [
        int(found.group(1))
        for line in swept.lines[printed:]
        if (found := re.search(r"Engine.*Max Memory Used: (\d+)", line))
    ]
    record_property("engine_mb", max(used))
    assert max(used) < ENGINE_MB


async def test_a_slow_reader_holds_back_nobody(swept: EmulatorProcess, user: str, faults: Control) -> None:
    """Every post to one device takes half a second: the other one sees the run in little more than its own time, the
    slow one catches up."""
    async with Chat(swept.url, user) as slow:
        connection = (await faults.connections())[-1]
        async with Chat(swept.url, user) as quick:
            run = await accepted(quick, "x", agent="talking")
            await slow.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
            await speaks(quick, run)
            began = time.monotonic()
            await faults.inject("post_delayed", connection=connection, delay_s=0.5, count=1000)
            await quick.end_of(run["run_id"])
            assert time.monotonic() - began < 8
            await slow.end_of(run["run_id"])
            await faults.calm()
            assert await whole(slow, run) == quick.events(run["run_id"])


async def test_a_restless_reader_misses_nothing(swept: EmulatorProcess, user: str) -> None:
    """A device that detaches and attaches again all through a run has the whole of it in the end; one that stays sees
    it as if nothing were."""
    async with Chat(swept.url, user) as calm, Chat(swept.url, user) as restless:
        run = await accepted(calm, "x", agent="endless_step")
        await speaks(calm, run)
        for _ in range(RESTLESS_TURNS):
            await _attach(restless, run)
            await asyncio.sleep(0.05)
            await restless.ask("detach", thread_id=run["thread_id"])
        await _attach(restless, run)
        await calm.ask("cancel", run_id=run["run_id"])
        events = await whole(calm, run)
        assert kinds(events).count("agent_delta") > 1
        assert await whole(restless, run) == events


async def _attach(client: Chat, run: Frame) -> None:
    """Attaches with what the client holds of the run without a gap."""
    seqs = {event["seq"] for event in client.events(run["run_id"])}
    cursor = next(seq for seq in range(len(seqs) + 1) if seq + 1 not in seqs)
    attached = await client.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: cursor})
    assert attached["type"] == "attached"


async def test_sockets_that_are_gone_are_no_failure(swept: EmulatorProcess, user: str, faults: Control) -> None:
    """All devices vanish without a `$disconnect` while the run speaks: it completes for nobody, and a new device reads
    it whole."""
    async with Chat(swept.url, user) as first, Chat(swept.url, user) as second:
        run = await accepted(first, "x", agent="talking")
        await second.ask("attach", thread_id=run["thread_id"])
        await speaks(first, run)
        for connection in (await faults.connections())[-2:]:
            await faults.inject("disconnect_lost", connection=connection)
            await faults.inject("close_sockets", connection=connection)
        assert await first.closed() == await second.closed() == 1001
    async with Chat(swept.url, user) as late:
        await late.ask("attach", thread_id=run["thread_id"], after={run["run_id"]: 0})
        events = await whole(late, run)
        assert events[-1]["type"] == "agent_completed"
        assert kinds(events).count("agent_started") == 1
