"""Which changes of a folder count, and how soon."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from emulator.functions import source_watch
from emulator.functions.source_watch import SourceWatch
from tests.emulator.functions.support import eventually

# Long enough for a notice that comes to have come: it takes some 50 ms.
_QUIET_S = 0.5


class Told(list[tuple[Path, tuple[str, ...]]]):
    """What was told."""

    def files(self) -> set[str]:
        """All names."""
        return {file for _, files in self for file in files}


@asynccontextmanager
async def watching(*folders: Path) -> AsyncIterator[tuple[SourceWatch, Told]]:
    """A watch over folders."""
    told = Told()
    watch = SourceWatch(folders, changed=lambda folder, files: told.append((folder, files)))
    await watch.start()
    try:
        yield watch, told
    finally:
        await watch.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function's folder."""
    code = tmp_path / "code"
    (code / "package").mkdir(parents=True)
    (code / "app.py").write_text("1")
    (code / "package" / "module.py").write_text("1")
    return code


def _write(folder: Path) -> str:
    (folder / "app.py").write_text("2")
    return "app.py"


def _write_again_in_the_same_tick(folder: Path) -> str:
    times = (folder / "app.py").stat()
    (folder / "app.py").write_text("3")
    os.utime(folder / "app.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    return "app.py"


def _replace(folder: Path) -> str:
    (folder / "app.py~new").write_text("2")
    (folder / "app.py~new").replace(folder / "app.py")
    return "app.py"


def _add(folder: Path) -> str:
    (folder / "fresh").mkdir()
    (folder / "fresh" / "more.py").write_text("1")
    return "fresh"  # the file too, if the watch lay on its folder in time


def _remove(folder: Path) -> str:
    (folder / "package" / "module.py").unlink()
    return "package/module.py"


def _touch(folder: Path) -> str:
    (folder / "app.py").touch()
    return "app.py"


def _build(folder: Path) -> None:
    folder.mkdir()
    (folder / "app.py").write_text("built")


@pytest.mark.parametrize("change", [_write, _write_again_in_the_same_tick, _replace, _add, _remove, _touch])
async def test_a_change_is_seen_at_once(folder: Path, change: object, record_property: object) -> None:
    """Saved in place, within a clock's tick, or by renaming; added with its folder; removed; touched."""
    assert callable(change)
    assert callable(record_property)
    async with watching(folder) as (watch, told):
        before = watch.signature([folder])
        began = time.monotonic()
        name = change(folder)
        await eventually(lambda: name in told.files())
        record_property("seconds", time.monotonic() - began)
        assert watch.signature([folder]) != before


async def test_what_nobody_wrote_does_not_count(folder: Path) -> None:
    """Compiled files, hidden ones and reading change nothing."""
    async with watching(folder) as (watch, told):
        before = watch.signature([folder])
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "app.cpython-313.pyc").write_text("1")
        (folder / ".app.py.swp").write_text("1")
        (folder / "app.py").read_text()
        await asyncio.sleep(_QUIET_S)
        assert told == []
        assert watch.signature([folder]) == before


async def test_a_link_and_a_folder_in_a_folder_are_followed(folder: Path, tmp_path: Path) -> None:
    """A save is told to each folder that has the file, under the name by which it was given."""
    link = tmp_path / "link"
    link.symlink_to(folder)
    async with watching(folder, link, folder / "package") as (watch, told):
        (folder / "package" / "module.py").write_text("2")
        await eventually(lambda: len({where for where, _ in told}) == 3)
        assert {where: set(files) for where, files in told} == {
            folder: {"package/module.py"},
            link: {"package/module.py"},
            folder / "package": {"module.py"},
        }
        (folder / "app.py").write_text("2")
        await eventually(lambda: "app.py" in told.files())
        assert watch.signature([folder / "package"]) < watch.signature([folder])


async def test_a_folder_made_anew_is_watched_on(folder: Path) -> None:
    """As a build does that starts with removing what it made before."""
    async with watching(folder) as (watch, told):
        shutil.rmtree(folder)
        await eventually(lambda: told != [])
        _build(folder)
        await asyncio.sleep(2 * _QUIET_S)
        before = watch.signature([folder])
        (folder / "app.py").write_text("saved")
        await eventually(lambda: watch.signature([folder]) != before)


async def test_without_notices_of_the_system_files_are_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where too many others watch already: it is told once, and a save is seen all the same, in another second."""
    os.utime(folder / "app.py", (0, 0))

    def exhausted(*paths: Path, force_polling: bool | None = None, **options: Any) -> Any:
        if not force_polling:
            raise RuntimeError("Too many open files")
        return watchfiles.awatch(*paths, force_polling=force_polling, **options)

    monkeypatch.setattr(source_watch, "awatch", exhausted)
    async with watching(folder) as (_, told):
        await asyncio.sleep(_QUIET_S)
        _write(folder)
        await eventually(lambda: "app.py" in told.files())
    assert [record.getMessage() for record in caplog.records if record.name == "emulator.sources"] == [
        "the sources are watched by looking at them again and again: Too many open files"
    ]
