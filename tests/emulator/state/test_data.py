"""The folder that keeps data, and what the command line says of it; no Java needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.options import parse
from emulator.processes import Reaper
from emulator.state import StateFailed
from emulator.state.dynamodb_local import DataFolder, DynamoDbLocal


def test_a_folder_keeps_its_access_key(tmp_path: Path) -> None:
    """The key is made once, and none but the owner reads it."""
    first = DataFolder(tmp_path / "new" / "data")
    first.close()
    second = DataFolder(tmp_path / "new" / "data")
    second.close()
    assert first.access_key == second.access_key != ""
    assert (tmp_path / "new" / "data" / "access-key").stat().st_mode & 0o77 == 0


def test_a_folder_is_one_emulators_at_a_time(tmp_path: Path) -> None:
    """A second one is told so."""
    first = DataFolder(tmp_path)
    with pytest.raises(StateFailed, match="another emulator is using it"):
        DataFolder(tmp_path)
    first.close()


def test_a_file_instead_of_a_folder_is_named(tmp_path: Path) -> None:
    """The message names the option and the path."""
    (tmp_path / "file").touch()
    with pytest.raises(StateFailed, match=r"--data .*file: File exists"):
        DataFolder(tmp_path / "file")


def test_a_missing_jar_is_named(tmp_path: Path) -> None:
    """The message names the option and the path."""
    with pytest.raises(StateFailed, match=r"--dynamodb-jar .*none\.jar: no such file"):
        DynamoDbLocal(tmp_path / "none.jar", data=None, reaper=Reaper(), region="us-east-1")


def test_missing_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is needed."""
    (tmp_path / "some.jar").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StateFailed, match="needs Java"):
        DynamoDbLocal(tmp_path / "some.jar", data=None, reaper=Reaper(), region="us-east-1")


def test_the_jar_and_the_folder_are_read() -> None:
    """Both are paths."""
    options = parse(["--dynamodb-jar", "a.jar", "--data", "d"])
    assert (options.dynamodb_jar, options.data) == (Path("a.jar"), Path("d"))


def test_data_without_a_jar_ends_with_a_usage_line(capsys: pytest.CaptureFixture[str]) -> None:
    """moto keeps nothing across restarts, so the option would be a false promise."""
    with pytest.raises(SystemExit) as ended:
        parse(["--data", "d"])
    assert ended.value.code == 2
    assert "--data needs --dynamodb-jar" in capsys.readouterr().err
