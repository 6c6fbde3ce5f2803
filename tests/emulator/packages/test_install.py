"""Installing, with a real pip but from a folder: no test needs a network."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import zipfile
from pathlib import Path

import pytest

from emulator.packages.install import InstallFailed, install


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps pip from any index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")


def wheel(folder: Path) -> Path:
    """A wheel with one module, written by hand."""
    files = {
        "tiny.py": "x = 1\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    files["tiny-1.0.dist-info/RECORD"] = record + "tiny-1.0.dist-info/RECORD,,\n"
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("missing", ["", "pip"])
def test_a_file_beside_the_requirements_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Paths are relative to the requirements file; where pip is not there, the one that Python carries does it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    wheel(tmp_path)
    (tmp_path / "requirements.txt").write_text("./tiny-1.0-py3-none-any.whl\n")
    (tmp_path / "into").mkdir()
    install(tmp_path / "requirements.txt", tmp_path / "into")
    assert (tmp_path / "into/tiny.py").is_file()


def test_a_failure_is_one_line_with_the_installers_reason(tmp_path: Path) -> None:
    """Its last error."""
    (tmp_path / "requirements.txt").write_text("surely-no-such-package==1\n")
    with pytest.raises(InstallFailed, match="surely-no-such-package") as error:
        install(tmp_path / "requirements.txt", tmp_path)
    assert "\n" not in str(error.value)
