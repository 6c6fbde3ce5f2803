"""The cache's folders."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from emulator.packages.cache import Cache, default_folder


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    """The second asking finds it."""
    made: list[Path] = []
    cache = Cache(tmp_path)
    assert cache.get("a/b", made.append) == cache.get("a/b", made.append) == tmp_path / "a/b"
    assert len(made) == 1


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """No half-made folder is ever found; the next asking makes it anew."""

    def fail(part: Path) -> None:
        (part / "half").touch()
        raise RuntimeError("no")

    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError):
        cache.get("a", fail)
    assert [each.name for each in tmp_path.iterdir()] == ["a.lock"]
    assert list(cache.get("a", lambda part: (part / "whole").touch()).iterdir()) == [tmp_path / "a/whole"]


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    """The second waits for the first."""
    made: list[str] = []

    def slow(part: Path) -> None:
        made.append(part.name)
        time.sleep(0.1)

    threads = [threading.Thread(target=Cache(tmp_path).get, args=("a", slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_what_a_killed_start_left_is_cleared(tmp_path: Path) -> None:
    """Its part folder goes when the folder is made."""
    (tmp_path / "a.part-1").mkdir()
    Cache(tmp_path).get("a", lambda part: None)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "a.lock"]


def test_the_default_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CACHE_HOME if it is absolute, as its specification demands, else ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/dayfly")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == Path.home() / ".cache/dayfly"
