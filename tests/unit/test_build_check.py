"""The check of what was built."""

import struct
from pathlib import Path

import pytest

from scripts import check_build
from scripts.check_build import FUNCTIONS, LAYERS, PYC_MAGIC_313, problems

ARM = b"\x7fELF" + bytes(14) + struct.pack("<H", 183)
INTEL = b"\x7fELF" + bytes(14) + struct.pack("<H", 62)


def add_module(folder: Path, name: str, *, magic: int = PYC_MAGIC_313, flags: int = 1) -> None:
    """A source with a `.pyc` of the given header."""
    (folder / "__pycache__").mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").touch()
    header = struct.pack("<HHI", magic, 0x0A0D, flags) + bytes(8)
    (folder / "__pycache__" / f"{name}.cpython-313.pyc").write_bytes(header)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build folder without fault."""
    for name in FUNCTIONS:
        add_module(tmp_path / name, "app")
    for name in LAYERS:
        add_module(tmp_path / name / "python", f"only_in_{name.lower()}")
        (tmp_path / name / "python" / f"{name}.so").write_bytes(ARM)
    return tmp_path


def test_a_good_build_passes(build: Path) -> None:
    """A build for the platform, compiled for the runtime, has no problem."""
    assert problems(build) == []


def test_a_binary_for_another_machine_is_found(build: Path) -> None:
    """A shared object for Intel is named."""
    (build / "AgentLayer" / "python" / "fast.so").write_bytes(INTEL)
    assert problems(build) == ["AgentLayer/python/fast.so: not a shared object for arm64 Linux"]


def test_bytecode_of_another_python_is_found(build: Path) -> None:
    """A `.pyc` of Python 3.12 is named: the runtime would compile the source at each cold start."""
    add_module(build / "RouterFunction", "more", magic=3531)
    assert problems(build) == ["RouterFunction/more.py: not compiled for Python 3.13"]


def test_missing_bytecode_is_found(build: Path) -> None:
    """A source without a `.pyc` is named."""
    (build / "RouterFunction" / "more.py").touch()
    assert problems(build) == ["RouterFunction/more.py: not compiled for Python 3.13"]


def test_time_stamped_bytecode_is_found(build: Path) -> None:
    """A `.pyc` that depends on its source's time stamp is named: packaging changes those."""
    add_module(build / "RouterFunction", "more", flags=0)
    assert problems(build) == ["RouterFunction/more.py: its .pyc is checked against the source"]


@pytest.mark.parametrize("other", ["AgentLayer", "GoogleLayer"])
def test_a_file_in_two_layers_is_found(build: Path, other: str) -> None:
    """A file that a layer repeats of one that is always there is named."""
    for name in ("DayflyLayer", other):
        (build / name / "python" / "same.txt").touch()
    assert problems(build) == [f"python/same.txt: in DayflyLayer and in {other}"]


def test_what_two_providers_need_is_the_same_in_both_layers(build: Path) -> None:
    """A file that two providers' layers hold, and not alike, is named."""
    for name in ("OpenAILayer", "GoogleLayer"):
        (build / name / "python" / "same.txt").write_text("same", encoding="utf-8")
    assert problems(build) == []
    (build / "GoogleLayer" / "python" / "same.txt").write_text("other", encoding="utf-8")
    assert problems(build) == ["python/same.txt: in OpenAILayer and, not alike, in GoogleLayer"]


def test_a_build_over_the_limit_is_found(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers and the largest function together may not pass Lambda's limit."""
    monkeypatch.setattr(check_build, "SIZE_LIMIT", 10)
    (problem,) = problems(build)
    assert problem.endswith("over Lambda's 10")


def test_a_function_without_its_handler_is_found(build: Path) -> None:
    """A function's package without app.py is named."""
    (build / "RouterFunction" / "app.py").rename(build / "RouterFunction" / "other.py")
    assert "RouterFunction: no app.py" in problems(build)


def test_what_was_not_built_is_named(tmp_path: Path) -> None:
    """An empty folder is no build."""
    assert len(problems(tmp_path)) == len(FUNCTIONS) + len(LAYERS)
