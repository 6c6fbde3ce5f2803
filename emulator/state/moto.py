"""moto as its parent sees it: a port that is listened on at once, and a process behind it once one is needed."""

import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from emulator.processes import Reaper

log = logging.getLogger("emulator")

_ROOT = Path(__file__).resolve().parents[2]
_BACKLOG = 512


class MotoFailed(Exception):
    """The moto process did not come up."""


class Moto:
    """Ends with its parent: by the pipe to it, by the reaper, and on Linux by the kernel.

    The process takes half a second of processor to start, and an application without tables, queues and so on may never
    ask it for anything. The port is bound here and handed to it, so that the address is known before.

    Args:
        reaper: Ends the process if nobody else does.
        account_id: The account that the process plays.
        bound_s: How long it may take to start, in seconds.
    """

    def __init__(self, *, reaper: Reaper, account_id: str, bound_s: float) -> None:
        self._reaper = reaper
        self._account_id = account_id
        self._bound_s = bound_s
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start_when_asked(self) -> None:
        """Start the process with the first connection, which waits for it meanwhile."""
        assert self._listener is not None
        asyncio.get_running_loop().add_reader(self._listener, self._asked, self._listener)

    async def start(self) -> None:
        """Start the process. Raises `MotoFailed`; who has connected is refused then."""
        assert self._listener is not None
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "emulator.moto", str(self._listener.fileno()),
                env={**kept, "PYTHONPATH": str(_ROOT), "MOTO_ACCOUNT_ID": self._account_id},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=[self._listener.fileno()],
                start_new_session=True,
            )  # fmt: skip
        finally:
            # Once the process has ended nobody shall wait for an answer at its port.
            self._listener.close()
            self._listener = None
        self._reaper.watch(self._process.pid)
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), self._bound_s)
        except TimeoutError:
            line = b""
        if not line:
            await self.stop()
            raise MotoFailed("moto did not start; is everything of requirements/run.txt installed?")

    @property
    def pid(self) -> int | None:
        """Its process id, None while none was needed."""
        return None if self._process is None else self._process.pid

    async def stop(self) -> None:
        """End it and wait."""
        if self._starting is not None and self._starting is not asyncio.current_task():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._reaper.forget(self._process.pid)
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _asked(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        self._starting = loop.create_task(self._start_late())

    async def _start_late(self) -> None:
        try:
            await self.start()
        except MotoFailed as error:
            log.error("%s", error)
