"""The folder that keeps what is made once: by default `dayfly` in the user's cache folder."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def default_folder() -> Path:
    """`$XDG_CACHE_HOME/dayfly`, else `~/.cache/dayfly`.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "dayfly"


def key(*parts: str) -> str:
    """A name for what these parts, in this order, determine."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


class Cache:
    """Folders that appear whole or not at all, whoever makes them at the same time and however that ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder `name`; `make` fills it if it is not there yet. What `make` raises leaves nothing behind."""
        found = self.folder / name
        if found.is_dir():
            return found
        found.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(found):
            if not found.is_dir():
                # A start that was killed may have left such a folder: nobody else is at work on it now.
                for left in found.parent.glob(f"{found.name}.part-*"):
                    shutil.rmtree(left)
                part = Path(tempfile.mkdtemp(prefix=f"{found.name}.part-", dir=found.parent))
                try:
                    make(part)
                    part.rename(found)
                except BaseException:
                    shutil.rmtree(part, ignore_errors=True)
                    raise
        return found

    @contextmanager
    def _alone(self, found: Path) -> Iterator[None]:
        # The system lets go of the lock when its holder ends, in whatever way. The file stays: to remove it would let
        # a third start lock another file of the same name.
        with found.with_name(f"{found.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
