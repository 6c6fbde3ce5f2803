"""Tells when the template was saved: what it says holds from the next start on."""

import asyncio
import logging
from pathlib import Path
from types import TracebackType
from typing import Self

from watchfiles import awatch

log = logging.getLogger("emulator")


class TemplateWatch:
    """Looks at the template's folder without those below it: editors replace a file rather than write into it."""

    def __init__(self, template: Path) -> None:
        self._template = template.resolve()
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
        content = self._content()
        try:
            notices = awatch(
                self._template.parent, watch_filter=None, recursive=False, stop_event=self._stop, debounce=200, step=50
            )
            async for changes in notices:
                if any(Path(path) == self._template for _, path in changes) and self._content() != content:
                    content = self._content()
                    log.warning("%s changed: end the emulator and start it again to see it", self._template.name)
        except (OSError, RuntimeError) as error:  # as for the sources
            log.warning("nobody watches %s: %s", self._template.name, error)

    def _content(self) -> bytes:
        try:
            return self._template.read_bytes()
        except OSError:
            return b""
