"""What `sam build` runs, through the Makefiles beside each function and layer: no Docker, no compiler.

    python scripts/build.py function router "$ARTIFACTS_DIR"
    python scripts/build.py layer dayfly "$ARTIFACTS_DIR"

Needs Python 3.13 itself, the runtime's version: the `.pyc` files that it writes are that version's. Without them every
cold start compiles the libraries again, since the layer's directory is read-only on Lambda.

The clients of models are layers of their own. `PROVIDERS` names those to build, with blanks between them; without it
all are built, and the template attaches those that its parameters name.
"""

import argparse
import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = (3, 13)
SIZE_LIMIT_MB = 250
"""All layers and the function together, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

# Amazon Linux 2023, which the runtime stands on, has glibc 2.34; pip wants each older tag named too.
PLATFORMS = ("manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in (17, 24, 26, 28, 31, 34)))

BOTOCORE_SERVICES = frozenset(
    {"apigatewaymanagementapi", "bedrock-runtime", "dynamodb", "lambda", "secretsmanager", "ssm", "sts", "xray"}
)
"""The services whose API descriptions stay in the layer: those that Dayfly calls, STS for scoped credentials, and
X-Ray, of which its SDK makes a client when it is imported."""

BASES = {
    "dayfly": (),
    "agentlib": ("dayfly",),
    "openai": ("dayfly", "agentlib"),
    "anthropic": ("dayfly", "agentlib"),
    "google": ("dayfly", "agentlib"),
}
"""The layers that are always there beside a layer: it repeats nothing of theirs."""

PROVIDERS = ("openai", "anthropic", "google")
"""The layers of which a deployment has those of its own models."""

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==")


def requirement_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, whole entry with its marker and hashes) for each pin of a compiled requirements file."""
    name, lines = "", list[str]()
    for line in text.splitlines(keepends=True):
        if pin := _REQUIREMENT.match(line):
            if lines:
                yield name, "".join(lines)
            name, lines = pin[1].lower(), [line]
        elif lines and line.startswith((" ", "\t")):
            lines.append(line)
    if lines:
        yield name, "".join(lines)


def without(requirements: str, base: str) -> str:
    """The entries of `requirements` whose packages `base` has not; both are compiled requirements files.

    Raises ValueError where both pin a package and the entries differ: the layers would disagree.
    """
    have: dict[str, list[str]] = {}
    for name, block in requirement_blocks(base):
        have.setdefault(name, []).append(_pin(block))
    kept = []
    for name, block in requirement_blocks(requirements):
        if name not in have:
            kept.append(block)
        elif _pin(block) not in have[name]:  # one for each of several versions of Python
            message = f"the layers disagree: {_pin(block)} and {' or '.join(have[name])}"
            raise ValueError(message)
    return "".join(kept)


def _pin(block: str) -> str:
    return block.split(maxsplit=1)[0]


def install(requirements: str, target: Path) -> None:
    """Put the wheels for the Lambda platform that `requirements` pins under `target`, hashes checked."""
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text(requirements, encoding="utf-8")
        _pip("--no-deps", "--require-hashes", "--target", str(target), "--requirement", str(listed))


def install_own(requirements: Path, target: Path) -> None:
    """Put what a function's own requirements file asks for under `target`, for the Lambda platform, without what the
    agents' layers have. Where both have a package, its version is the layers'.

    Raises subprocess.CalledProcessError, behind pip's own words, where there is no wheel for the platform, or a
    requirement does not fit the layers.
    """
    layers = _pins("dayfly") + _pins("agentlib")
    with tempfile.TemporaryDirectory() as scratch:
        constraints, report = Path(scratch, "constraints.txt"), Path(scratch, "report.json")
        constraints.write_text("".join(f"{_constraint(block)}\n" for _, block in requirement_blocks(layers)), "utf-8")
        given = ("--requirement", str(requirements), "--constraint", str(constraints), "--target", str(target))
        _pip(*given, "--dry-run", "--ignore-installed", "--report", str(report))
        in_layers = {name.replace("_", "-") for name, _ in requirement_blocks(layers)}
        wheels = [
            (re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower(), one["download_info"]["url"])
            for one in json.loads(report.read_text("utf-8"))["install"]
        ]
        added = [url for name, url in wheels if name not in in_layers]
        if added:
            _pip("--no-deps", "--target", str(target), *added)


def _pip(*arguments: str) -> None:
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--only-binary=:all:", "--no-compile"),
        *("--implementation", "cp", "--python-version", ".".join(map(str, RUNTIME)), *platforms),
        *arguments,
    ]
    subprocess.run(command, check=True)  # noqa: S603  our own arguments, no shell


def _pins(layer: str) -> str:
    return (ROOT / "layers" / layer / "requirements.txt").read_text("utf-8")


def _constraint(block: str) -> str:
    """An entry without its hashes: `name==version ; marker`."""
    return block.split("\\\n", 1)[0].split("--hash", 1)[0].strip()


def prune(site: Path) -> None:
    """Drop what no handler reads: tests, scripts, stubs' sources, and API descriptions of services never called."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for folder in sorted(site.rglob("*"), reverse=True):
        if folder.is_dir() and folder.name in {"tests", "test", "__pycache__"}:
            shutil.rmtree(folder)
    for service in site.glob("botocore/data/*/"):
        if service.is_dir() and service.name not in BOTOCORE_SERVICES:
            shutil.rmtree(service)


def copy_sources(source: Path, target: Path) -> None:
    """Copy a package or a function's folder, without caches and build files."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "Makefile", "requirements.*")
    shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)


def compile_all(folder: Path, *, mounted_at: str) -> None:
    """Write `.pyc` files beside the sources, never checked against them again; raises SystemExit on a syntax error.

    Unchecked-hash, since packaging sets new modification times, which would make time-stamped ones stale.
    """
    done = compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=str(folder),
        prependdir=mounted_at,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        sys.exit(f"{folder}: not every file compiles")


def build_function(name: str, artifacts: Path) -> None:
    """Build one function's package into `artifacts`."""
    copy_sources(ROOT / "functions" / name, artifacts)
    requirements = ROOT / "functions" / name / "requirements.txt"
    if requirements.is_file() and asks_for_something(requirements.read_text("utf-8")):
        with tempfile.TemporaryDirectory() as scratch:
            site = Path(scratch, "site")
            install_own(requirements, site)
            prune(site)
            if site.is_dir():
                shutil.copytree(site, artifacts, dirs_exist_ok=True)
    compile_all(artifacts, mounted_at="/var/task")


def build_layer(name: str, artifacts: Path) -> None:
    """Build one layer into `artifacts`/python, which Lambda mounts at /opt/python."""
    site = artifacts / "python"
    if not is_chosen(name, os.environ.get("PROVIDERS", "")):
        site.mkdir(parents=True)
        (site / f"{name}-was-not-built.txt").write_text(
            f"Built without {name}: see PROVIDERS in the Makefile.\n", "utf-8"
        )
        return
    install(without(_pins(name), "".join(map(_pins, BASES[name]))), site)
    prune(site)
    if name == "dayfly":
        copy_sources(ROOT / "layers" / "dayfly" / "dayfly", site / "dayfly")
    compile_all(artifacts, mounted_at="/opt")


def is_chosen(layer: str, providers: str) -> bool:
    """Whether this layer is to be built, where `providers` are chosen. Raises SystemExit for one that is none."""
    chosen = providers.replace(",", " ").split()
    if unknown := sorted(set(chosen) - set(PROVIDERS)):
        sys.exit(f"PROVIDERS: there is no layer {', '.join(unknown)}; there are {', '.join(PROVIDERS)}")
    return layer not in PROVIDERS or not chosen or layer in chosen


def asks_for_something(requirements: str) -> bool:
    """Whether a requirements file has a line that is no comment."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in requirements.splitlines())


def main() -> None:
    """Parse the command line and build one function or layer."""
    if sys.version_info[:2] != RUNTIME:
        wanted, found = (".".join(map(str, version[:2])) for version in (RUNTIME, sys.version_info))
        sys.exit(f"sam build needs Python {wanted}, the version of the Lambda runtime; this is {found}.")
    arguments = argparse.ArgumentParser(description="Build one function or layer for AWS Lambda.")
    arguments.add_argument("kind", choices=["function", "layer"])
    arguments.add_argument("name")
    arguments.add_argument("artifacts", type=Path)
    given = arguments.parse_args()
    (build_function if given.kind == "function" else build_layer)(given.name, given.artifacts)


if __name__ == "__main__":
    main()
