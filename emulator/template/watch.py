"""Tells when the template, or a file of requirements, was saved: what it says holds from the next start on."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from watchfiles import awatch

log = logging.getLogger("emulator")


class TemplateWatch:
    """Looks at the folders of the template and of the `requirements`, without those below them: editors replace a file
    rather than write into it."""

    def __init__(self, template: Path, requirements: Iterable[Path] = ()) -> None:
        self._template = template.resolve()
        self._files = {file.resolve(): self._content(file) for file in (self._template, *requirements)}
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        folders = sorted({file.parent for file in self._files if file.parent.is_dir()})
        try:
            notices = awatch(*folders, watch_filter=None, recursive=False, stop_event=self._stop, debounce=200, step=50)
            async for changes in notices:
                for file in sorted({Path(path) for _, path in changes} & self._files.keys()):
                    if (content := self._content(file)) != self._files[file]:
                        self._files[file] = content
                        self._tell(file)
        except (OSError, RuntimeError) as error:  # as for the sources
            log.warning("nobody watches %s: %s", self._template.name, error)

    def _tell(self, file: Path) -> None:
        if file == self._template:
            log.warning("%s changed: end the emulator and start it again to see it", file.name)
        else:
            log.warning("%s changed: end the emulator and start it again to have it installed", file)

    @staticmethod
    def _content(file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError:
            return b""
