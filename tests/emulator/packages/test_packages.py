"""Folders of packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from emulator.packages import InstallFailed, Packages
from emulator.packages.environment import Environment

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a requirements.txt beside nothing else."""

    def written(text: str) -> Path:
        (tmp_path / "code").mkdir(exist_ok=True)
        path = tmp_path / "code/requirements.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return written


class Installs(list[Path]):
    """Takes the installer's place; keeps what it was asked for and where."""

    def __call__(self, requirements: Path, folder: Path) -> None:
        (folder / "installed.py").touch()
        self.append(requirements)


def distribution(site: Path, name: str, version: str, *, requires: tuple[str, ...] = (), files: bool = True) -> None:
    """A distribution with one module, as an installer leaves it."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n")
    (info / "RECORD").write_text(
        (f"{name}.py,,\n" if files else "") + f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n"
    )
    if files:
        (site / f"{name}.py").write_text(f"VERSION = {version!r}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An environment: `one` needs `two`, `other` stands alone, `linked` is an editable one."""
    folder = tmp_path / "site"
    distribution(folder, "one", "1.0", requires=("two>=2", 'extra-thing; extra == "x"'))
    distribution(folder, "two", "2.1")
    distribution(folder, "other", "3")
    distribution(folder, "editable", "1", files=False)
    return folder


@pytest.fixture
def installs() -> Installs:
    """An installer that does nothing."""
    return Installs()


@pytest.fixture
def packages(tmp_path: Path, site: Path, installs: Installs) -> Packages:
    """Packages over that environment."""
    return Packages(folder=tmp_path / "cache", environment=Environment([str(site)]), installer=installs)


def names(folder: Path | None) -> list[str]:
    """What can be imported from a folder."""
    assert folder is not None
    return sorted(each.stem for each in folder.glob("*.py"))


def test_what_the_environment_has_is_linked_with_all_that_it_needs(
    packages: Packages, write: Write, installs: Installs
) -> None:
    """Nothing is installed, and nothing else is seen."""
    requirements = write("one==1.0\n")
    assert names(packages.of(requirements, beside=requirements.parent)) == ["one", "two"]
    assert not installs


@pytest.mark.parametrize("text", ["one==1.1", "one[x]", "unheard", "editable", "./folder", "one\nunheard"])
def test_anything_else_is_installed_once(packages: Packages, write: Write, installs: Installs, text: str) -> None:
    """Another version, an extra, an unknown or editable one, or what only an installer can follow."""
    requirements = write(text)
    found = [packages.of(requirements, beside=requirements.parent) for _ in range(2)]
    assert names(found[0]) == ["installed"]
    assert found[0] == found[1]
    assert installs == [requirements]


def test_a_changed_file_is_installed_anew(packages: Packages, write: Write, installs: Installs) -> None:
    """The folder's name is of the text."""
    first = packages.of(write("unheard==1"), beside=Path())
    assert packages.of(write("unheard==2"), beside=Path()) != first


def test_a_changed_environment_is_linked_anew(packages: Packages, write: Write, site: Path, tmp_path: Path) -> None:
    """Links of an older environment are not followed."""
    first = packages.of(write("one"), beside=Path())
    distribution(site, "new", "1")
    again = Packages(folder=tmp_path / "cache", environment=Environment([str(site)]))
    assert again.of(write("one"), beside=Path()) != first


def test_what_a_broken_off_installation_left_is_passed_over(
    packages: Packages, write: Write, site: Path, installs: Installs
) -> None:
    """A distribution's folder without its metadata."""
    (site / "half-1.0.dist-info").mkdir()
    assert names(packages.of(write("one"), beside=Path())) == ["one", "two"]
    assert not installs


def test_what_lies_beside_the_code_already_is_left_alone(packages: Packages, write: Write, installs: Installs) -> None:
    """A folder that `sam build` made, or into which somebody installed."""
    requirements = write("vendored==1")
    distribution(requirements.parent, "vendored", "1")
    assert packages.of(requirements, beside=requirements.parent) is None
    assert not installs


def test_a_file_that_cannot_be_read_is_one_line(packages: Packages, write: Write) -> None:
    """An include that is not there, for example."""
    with pytest.raises(InstallFailed, match=r"requirements\.txt can't be read") as error:
        packages.of(write("-r nothing.txt"), beside=Path())
    assert "\n" not in str(error.value)


def test_the_first_alternative_that_is_there_is_taken(packages: Packages) -> None:
    """None if there is none."""
    found = packages.first([Requirement("one[x]"), Requirement("other")])
    assert names(found) == ["other"]
    assert packages.first([Requirement("unheard")]) is None


def test_the_runtime_has_the_sdk_and_the_client_alone(tmp_path: Path) -> None:
    """A Python that sees that folder only imports boto3 and awslambdaric, and nothing of the emulator's own."""
    runtime = Packages(folder=tmp_path).runtime()
    script = "import boto3, awslambdaric\ntry:\n import moto\nexcept ImportError:\n print('alone')"
    said = subprocess.run(
        [sys.executable, "-S", "-P", "-c", script],
        env={"PYTHONPATH": str(runtime)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert said.stdout == "alone\n", said.stderr


def test_inline_code_becomes_a_module(tmp_path: Path) -> None:
    """index.py, as CloudFormation names it."""
    folder = Packages(folder=tmp_path).inline("x = 1\n")
    assert (folder / "index.py").read_text() == "x = 1\n"
