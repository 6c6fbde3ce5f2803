"""Say whether what `sam build` left can run on the Lambda platform, and how large it is.

python scripts/check_build.py [.aws-sam/build]
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

PROVIDER_LAYERS = ("OpenAILayer", "AnthropicLayer", "GoogleLayer")
"""A deployment has those of its own models."""
LAYERS = ("DayflyLayer", "AgentLayer", *PROVIDER_LAYERS)
FUNCTIONS = ("AuthorizerFunction", "ConnectionFunction", "RouterFunction", "EngineFunction", "RecoveryFunction")
SIZE_LIMIT = 250 * 1024 * 1024
"""Bytes of all layers and one function, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

ELF_MAGIC, ELF_AARCH64 = b"\x7fELF", 183
"""The e_machine field of an ELF header, at offset 18, holds 183 for AArch64 (System V ABI)."""

PYC_MAGIC_313, PYC_UNCHECKED_HASH = 3571, 0b01
"""The first 16 bits of a 3.13 `.pyc`, and the flags of one never checked against its source (PEP 552)."""


def size(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def foreign_binaries(folder: Path) -> Iterator[str]:
    """Name each shared object that is not for the Lambda platform (64-bit Arm Linux)."""
    for file in folder.rglob("*"):
        if not file.is_file() or not (file.suffix in {".so", ".dylib", ".pyd"} or ".so." in file.name):
            continue
        with file.open("rb") as opened:
            head = opened.read(20)
        if head[:4] != ELF_MAGIC or struct.unpack_from("<H", head, 18)[0] != ELF_AARCH64:
            yield f"{file.relative_to(folder)}: not a shared object for arm64 Linux"


def stale_bytecode(folder: Path) -> Iterator[str]:
    """Name each source without a `.pyc` that the runtime would use as it stands."""
    for source in folder.rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        head = compiled.read_bytes()[:8] if compiled.is_file() else b""
        if len(head) < 8 or struct.unpack_from("<H", head)[0] != PYC_MAGIC_313:
            yield f"{source.relative_to(folder)}: not compiled for Python 3.13"
        elif struct.unpack_from("<I", head, 4)[0] != PYC_UNCHECKED_HASH:
            yield f"{source.relative_to(folder)}: its .pyc is checked against the source"


def shared_files(layers: Sequence[Path]) -> Iterator[str]:
    """Name each file that two layers hold: Lambda unpacks one over the other. What two providers need is in both of
    their layers, and has to be the same."""
    seen: dict[Path, Path] = {}
    for layer in layers:
        for file in layer.rglob("*"):
            path = file.relative_to(layer)
            if not file.is_file() or (first := seen.setdefault(path, layer)) == layer:
                continue
            if first.name not in PROVIDER_LAYERS:
                yield f"{path}: in {first.name} and in {layer.name}"
            elif file.read_bytes() != (first / path).read_bytes():
                yield f"{path}: in {first.name} and, not alike, in {layer.name}"


def problems(build: Path) -> list[str]:
    """Everything wrong with a build folder, one line each."""
    missing = [f"{name}: not built" for name in (*LAYERS, *FUNCTIONS) if not (build / name).is_dir()]
    if missing:
        return missing
    found = list(shared_files([build / layer for layer in LAYERS]))
    for name in (*LAYERS, *FUNCTIONS):
        found += [f"{name}/{problem}" for problem in (*foreign_binaries(build / name), *stale_bytecode(build / name))]
    found += [f"{name}: no app.py" for name in FUNCTIONS if not (build / name / "app.py").is_file()]
    largest = sum(size(build / layer) for layer in LAYERS) + max(size(build / name) for name in FUNCTIONS)
    if largest > SIZE_LIMIT:
        found.append(f"{largest} bytes unzipped, over Lambda's {SIZE_LIMIT}")
    return found


def main(folder: str = ".aws-sam/build") -> int:
    """Print sizes and problems of a build folder; 1 if there is a problem."""
    build = Path(folder)
    found = problems(build)
    for name in (*LAYERS, *FUNCTIONS):
        sys.stdout.write(f"{name:20} {size(build / name) / 1024 / 1024:7.1f} MB unzipped\n")
    sys.stdout.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
