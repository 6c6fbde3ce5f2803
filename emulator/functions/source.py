"""Notices that the source of a function has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

_SKIPPED = frozenset({"__pycache__", "node_modules"})

Signature = tuple[tuple[int, int], ...]


class SourceWatch:
    """Signatures of folders: number of files and newest change. A look is kept for `scan_s` seconds."""

    def __init__(self, scan_s: float) -> None:
        self._scan_s = scan_s
        self._known: dict[Path, tuple[float, tuple[int, int]]] = {}

    def signature(self, directories: Iterable[Path]) -> Signature:
        """Equal for equal sources; differs once a file was saved, added or removed."""
        return tuple(self._look(directory) for directory in directories)

    def _look(self, directory: Path) -> tuple[int, int]:
        now = time.monotonic()
        seen = self._known.get(directory)
        if seen is None or now - seen[0] >= self._scan_s:
            seen = (now, _scan(directory))
            self._known[directory] = seen
        return seen[1]


def _scan(directory: Path) -> tuple[int, int]:
    count = newest = 0
    for folder, names, files in os.walk(directory):
        names[:] = [name for name in names if name not in _SKIPPED and not name.startswith(".")]
        for file in files:
            try:
                changed = (Path(folder) / file).stat().st_mtime_ns
            except FileNotFoundError:
                continue  # deleted while we look: the count tells
            count += 1
            newest = max(newest, changed)
    return count, newest
