"""The folder that keeps DynamoDB Local's data across restarts."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from emulator.state.errors import StateFailed


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
            self.access_key = new_access_key()
            os.write(self._file, self.access_key.encode())

    def close(self) -> None:
        """Let another have it."""
        os.close(self._file)


def new_access_key() -> str:
    """An access key id that nobody guesses; DynamoDB Local takes letters and digits only."""
    return secrets.token_hex(16)
