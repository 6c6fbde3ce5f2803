"""Notices that the source of a function has changed: by the system's own notices, so that no tree is read at a call.

Measured before: reading the times of 5,000 files takes some 50 ms, and as long stands every socket.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, awatch

log = logging.getLogger("emulator.sources")

_SKIPPED = frozenset({"__pycache__", "node_modules"})
# A save is told once nothing more came for so long; a checkout that goes on for longer is told in parts.
_QUIET_MS = 30
_TOGETHER_MS = 200
_RETURN_S = 0.25

Signature = tuple[int, ...]

Changed = Callable[[Path, tuple[str, ...]], None]
"""Told of a folder and of the files below it that were saved, added or removed."""


class SourceWatch:
    """Counts the changes of folders. Without `start` nothing ever changes."""

    def __init__(self, directories: Iterable[Path], *, changed: Changed) -> None:
        # Notices name real paths; a folder may be a link, and one folder may lie in another.
        self._real = {directory: directory.resolve() for directory in directories}
        self._changed = changed
        self._versions = dict.fromkeys(self._real, 0)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def signature(self, directories: Iterable[Path]) -> Signature:
        """Equal for equal sources; differs once a file was saved, added or removed."""
        return tuple(self._versions.get(directory, 0) for directory in directories)

    async def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._run())
        await asyncio.sleep(0)  # its first step places the watches

    async def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _run(self) -> None:
        polling = None
        removed: set[Path] = set()
        while not self._stop.is_set():
            there = {real for real in self._real.values() if real.is_dir()}
            if not there:
                await self._pause()
                continue
            try:
                removed = await self._watch(there, again=removed, polling=polling)
            except FileNotFoundError:
                await self._pause()  # removed at this very moment
            except (OSError, RuntimeError) as error:
                # As a rule inotify's bounds, which `watchfiles` tells of with an error of its own below RuntimeError.
                if polling:
                    log.warning("saved files are not noticed any more: %s", error)
                    return
                log.warning("the sources are watched by looking at them again and again: %s", error)
                polling = True

    async def _watch(self, there: set[Path], *, again: set[Path], polling: bool | None) -> set[Path]:
        """Watches folders, of which some may have been made `again`; returns once some were, as `sam build` does."""
        notices = awatch(
            *there,
            watch_filter=None,
            stop_event=self._stop,
            debounce=_TOGETHER_MS,
            step=_QUIET_MS,
            force_polling=polling,
        )
        # What was written into a new folder before the watch lay on it.
        asyncio.get_running_loop().call_later(_RETURN_S, self._tell, list(again))
        async for changes in notices:
            self._tell([Path(path) for _, path in changes])
            # The watch lay on what was removed, not on its name. Its number tells nothing: the next gets the same.
            removed = {Path(path) for change, path in changes if change is Change.deleted} & there
            if removed:
                while not all(folder.is_dir() for folder in removed) and not self._stop.is_set():
                    await self._pause()
                return removed
        return set()

    def _tell(self, paths: list[Path]) -> None:
        for directory, real in self._real.items():
            files = {name for path in paths if (name := _name_below(real, path)) is not None}
            if files:
                self._versions[directory] += 1
                self._changed(directory, tuple(sorted(files)))

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), _RETURN_S)
        except TimeoutError:
            return


def _name_below(folder: Path, path: Path) -> str | None:
    """The path from the folder on, `.` for itself; None if it lies elsewhere or is nothing that anybody wrote."""
    try:
        below = path.relative_to(folder)
    except ValueError:
        return None
    if any(part in _SKIPPED or part.startswith(".") for part in below.parts) or path.suffix == ".pyc":
        return None
    return str(below)
