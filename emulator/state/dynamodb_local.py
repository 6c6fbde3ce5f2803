"""AWS's DynamoDB Local as its parent sees it: a Java program, in memory or with its data in a folder.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html

It listens on every interface and can't be told otherwise. But it keeps a database per access key id and region, so the
front signs with an access key of its own that nobody guesses: whoever else reaches the port finds an empty database.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientError, ClientSession

from emulator.processes import Reaper, die_with_parent
from emulator.state.options import StateFailed

_COMMIT_S = 5.0


class DataFolder:
    """One emulator's at a time. Raises `StateFailed` if another has it, or if it can't be made or written.

    `access_key` is made once and kept in the folder: the data is in a database of that name.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.resolve()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path / "access-key", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateFailed(f"--data {folder}: {error.strerror}") from error
        try:
            # Held until the emulator ends, in whatever way: https://man7.org/linux/man-pages/man2/flock.2.html
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise StateFailed(f"--data {folder}: another emulator is using it") from None
        self.access_key = os.read(self._file, 100).decode()
        if not self.access_key:
            self.access_key = _new_access_key()
            os.write(self._file, self.access_key.encode())

    def close(self) -> None:
        """Let another have it."""
        os.close(self._file)


def _new_access_key() -> str:
    """An access key id that nobody guesses; DynamoDB Local takes letters and digits only."""
    return secrets.token_hex(16)


class DynamoDbLocal:
    """Ends with its parent: by the reaper, and on Linux by the kernel. Its temporary folder goes with it.

    `data` is the folder that keeps its data, None keeps it in memory. Raises `StateFailed`.
    """

    def __init__(self, jar: Path, *, data: Path | None, reaper: Reaper, region: str) -> None:
        java = shutil.which("java")
        if not jar.is_file():
            raise StateFailed(f"--dynamodb-jar {jar}: no such file")
        if java is None:
            raise StateFailed("--dynamodb-jar needs Java, and there is no `java` on the PATH")
        self._jar = jar.resolve()
        self._reaper = reaper
        self._process: asyncio.subprocess.Process | None = None
        self._data = None if data is None else DataFolder(data)
        self._folder = reaper.temporary_folder("emulator-dynamodb-")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        access_key = _new_access_key() if self._data is None else self._data.access_key
        # Of a signature only the scope is read.
        self.authorization = (
            f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0"
        )
        """The Authorization header under which the data is found."""
        self._command = [
            java, "-XX:-UsePerfData", f"-Djava.io.tmpdir={self._folder}",
            f"-Djava.library.path={self._jar.parent / 'DynamoDBLocal_lib'}", "-jar", str(self._jar),
            *(["-inMemory"] if self._data is None else ["-dbPath", str(self._data.path)]),
            "-port", str(port), "-disableTelemetry",
        ]  # fmt: skip

    async def start(self, bound_s: float) -> None:
        """Start it and wait until it answers, `bound_s` seconds at most. Raises `StateFailed`; call `stop` then too."""
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", die_with_parent.__file__, *self._command,
                cwd=self._folder,  # it writes a file of its own there
                env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self._reaper.watch(self._process.pid)
        try:
            async with asyncio.timeout(bound_s):
                await self._wait_until_it_answers(self._process)
        except TimeoutError:
            raise StateFailed(f"{self._jar.name} gave no answer within {bound_s:g} s; is it DynamoDB Local?") from None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise RuntimeError("DynamoDB Local is not started")
        return self._process.pid

    async def stop(self) -> None:
        """End it and wait; what it acknowledged is in its database file then.

        It acknowledges a write before it commits it, and takes the next request of a database after the commit: so one
        more is asked before it is killed. Killed from outside, it may lose the last write.
        """
        if self._process is not None:
            if self._process.returncode is None:
                if self._data is not None:
                    await self._ask_once_more()
                self._process.kill()
            await self._process.wait()
            self._reaper.forget(self._process.pid)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._data is not None:
            self._data.close()

    async def _wait_until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        async with ClientSession() as session:
            while process.returncode is None:
                if await self._answers(session):
                    return
                await asyncio.sleep(0.05)
        raise StateFailed(f"DynamoDB Local did not start: {self._first_line() or process.returncode}")

    async def _ask_once_more(self) -> None:
        with suppress(TimeoutError):  # then it is stuck, and commits nothing more
            async with asyncio.timeout(_COMMIT_S), ClientSession() as session:
                await self._answers(session)

    async def _answers(self, session: ClientSession) -> bool:
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
        }
        try:
            async with session.post(self.url, data=b"{}", headers=headers) as answer:
                return answer.status == 200
        except ClientError:
            return False  # not listening yet, or no more

    def _first_line(self) -> str:
        said = (self._folder / "log").read_text("utf-8", "replace").splitlines()
        # The JVM may name the options it took from the environment first.
        told = (line.strip() for line in said if line.strip() and not line.startswith("Picked up"))
        return next(told, "")
