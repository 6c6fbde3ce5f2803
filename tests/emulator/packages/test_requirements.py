"""Reading requirements files."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.packages.requirements import read


def write(folder: Path, **files: str) -> Path:
    """The files NAME.txt in `folder`; the first one's path."""
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(files))}.txt"


def test_names_hashes_markers_and_includes_are_plain(tmp_path: Path) -> None:
    """What pip-compile and uv write can be held against an environment."""
    text = """
    # a comment
    six==1.17.0 \\
        --hash=sha256:00 \\
        --hash=sha256:11  # via y
    idna[all]>=2 ; python_version >= "3"
    gone ; python_version < "3"
    -r more.txt
    """
    found = read(write(tmp_path, all=text, more="urllib3\n-r all.txt\n"))
    assert found.plain is not None
    assert [each.name for each in found.plain] == ["six", "idna", "urllib3"]


@pytest.mark.parametrize(
    "line", ["./local", "-e .", "git+https://example.org/x", "x @ https://example.org/x.whl", "-c c.txt", "--pre"]
)
def test_what_only_an_installer_can_follow_is_not_plain(tmp_path: Path, line: str) -> None:
    """Folders, addresses, options and constraints."""
    assert read(write(tmp_path, all=f"six\n{line}\n", c="")).plain is None


def test_an_include_changes_the_text(tmp_path: Path) -> None:
    """So a change in an included file is a change of the whole."""
    path = write(tmp_path, all="-r more.txt", more="six")
    before = read(path).text
    write(tmp_path, more="idna")
    assert read(path).text != before


def test_comments_alone_require_nothing(tmp_path: Path) -> None:
    """Nothing is installed for them."""
    assert read(write(tmp_path, all="# none\n\n")).empty
