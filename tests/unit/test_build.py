"""What goes into a layer."""

import re
from pathlib import Path

import pytest

from scripts.build import (
    BASES,
    BOTOCORE_SERVICES,
    PROVIDERS,
    asks_for_something,
    compile_all,
    copy_sources,
    is_chosen,
    prune,
    requirement_blocks,
    without,
)

ROOT = Path(__file__).parents[2]
LAYERS = ROOT / "layers"

BASE = """\
# compiled
boto3==1.2 \\
    --hash=sha256:aa
    # via -r requirements.in
six==1 \\
    --hash=sha256:bb
"""
MORE = """\
anyio==4 ; python_version >= '3.11' \\
    --hash=sha256:cc \\
    --hash=sha256:dd
boto3==1.2 \\
    --hash=sha256:aa
    # via x
"""


def test_an_entry_keeps_its_marker_and_hashes() -> None:
    """An entry of a compiled file is its pin with every line that belongs to it."""
    entries = dict(requirement_blocks(MORE))
    assert list(entries) == ["anyio", "boto3"]
    assert entries["anyio"].count("--hash") == 2
    assert "python_version" in entries["anyio"]


def test_a_layer_repeats_nothing_of_the_base() -> None:
    """What the base layer has is left out of the other."""
    assert [name for name, _ in requirement_blocks(without(MORE, BASE))] == ["anyio"]


def test_layers_that_disagree_are_refused() -> None:
    """Two layers that pin one package differently can't be built."""
    with pytest.raises(ValueError, match=r"boto3==1\.3"):
        without("boto3==1.3 \\\n    --hash=sha256:ee\n", BASE)


def test_the_agent_layer_adds_to_the_library_layer() -> None:
    """Of the agent layer's pins only those are built that the library's layer lacks, and none is lost."""
    base = (LAYERS / "dayfly" / "requirements.txt").read_text(encoding="utf-8")
    agent = (LAYERS / "agentlib" / "requirements.txt").read_text(encoding="utf-8")
    added = {name for name, _ in requirement_blocks(without(agent, base))}
    have = {name for name, _ in requirement_blocks(base)}
    assert added.isdisjoint(have)
    assert added | have >= {name for name, _ in requirement_blocks(agent)}
    assert "pydantic-ai-slim" in added
    assert {"boto3", "botocore", "pydantic"} <= have


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_providers_layer_adds_its_client(provider: str) -> None:
    """It repeats nothing of the layers that are always there, agrees with them, and brings the client itself."""
    base = "".join((LAYERS / layer / "requirements.txt").read_text(encoding="utf-8") for layer in BASES[provider])
    pins = (LAYERS / provider / "requirements.txt").read_text(encoding="utf-8")
    added = {name for name, _ in requirement_blocks(without(pins, base))}
    assert added.isdisjoint(name for name, _ in requirement_blocks(base))
    assert {"openai": "openai", "anthropic": "anthropic", "google": "google-genai"}[provider] in added
    assert "pydantic-ai-slim" not in added


def test_the_agent_layer_has_no_providers_client() -> None:
    """Who uses Bedrock, or the demo, pays for no other."""
    agent = (LAYERS / "agentlib" / "requirements.txt").read_text(encoding="utf-8")
    assert {name for name, _ in requirement_blocks(agent)}.isdisjoint({"openai", "anthropic", "google-genai"})


def test_what_is_pinned_for_two_providers_is_pinned_alike() -> None:
    """Their layers may be attached together."""
    pins: dict[str, set[str]] = {}
    for provider in PROVIDERS:
        text = (LAYERS / provider / "requirements.txt").read_text(encoding="utf-8")
        for name, block in requirement_blocks(text):
            if "python_full_version >= '3.15'" not in block and "python_version >= '3.15'" not in block:
                pins.setdefault(name, set()).add(block.split(maxsplit=1)[0])
    assert {name: each for name, each in pins.items() if len(each) > 1} == {}


@pytest.mark.parametrize(
    ("layer", "providers", "chosen"),
    [
        ("openai", "", True),
        ("openai", "openai google", True),
        ("google", "openai,google", True),
        ("anthropic", "openai google", False),
        ("agentlib", "openai", True),
    ],
)
def test_which_layers_are_built(layer: str, providers: str, *, chosen: bool) -> None:
    """All, or of the providers' those that are named; the others always."""
    assert is_chosen(layer, providers) is chosen


def test_a_layer_that_does_not_exist_ends_the_build() -> None:
    """The error says which there are."""
    with pytest.raises(SystemExit, match=r"azure; there are openai, anthropic, google"):
        is_chosen("openai", "azure")


@pytest.mark.parametrize(("text", "asks"), [("", False), ("# nothing\n\n", False), ("# x\nidna\n", True)])
def test_what_a_requirements_file_asks_for(text: str, *, asks: bool) -> None:
    """One with comments alone installs nothing."""
    assert asks_for_something(text) is asks


def test_every_service_in_use_keeps_its_description() -> None:
    """botocore's description of each service that the library makes a client of stays in the layer."""
    used = set()
    for source in (LAYERS / "dayfly" / "dayfly").rglob("*.py"):
        used.update(re.findall(r"""\.client\(\s*["']([a-z-]+)["']""", source.read_text(encoding="utf-8")))
    assert used <= BOTOCORE_SERVICES


def test_tests_and_unused_services_are_dropped(tmp_path: Path) -> None:
    """Tests, scripts and the descriptions of services never called go; the endpoints' list stays."""
    for kept in ("botocore/data/dynamodb/a.json", "botocore/data/endpoints.json", "pkg/mod.py"):
        (tmp_path / kept).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / kept).touch()
    for dropped in ("botocore/data/ec2/a.json", "pkg/tests/t.py", "pkg/__pycache__/m.pyc", "bin/tool"):
        (tmp_path / dropped).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / dropped).touch()
    prune(tmp_path)
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"botocore/data/dynamodb/a.json", "botocore/data/endpoints.json", "pkg/mod.py"}


def test_sources_are_copied_without_build_files(tmp_path: Path) -> None:
    """A function's package has its sources, not its Makefile."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("app.py", "Makefile", "stale.pyc"):
        (source / name).touch()
    copy_sources(source, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["app.py"]


def test_a_source_that_does_not_compile_ends_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A syntax error is found by the build, not by the first invocation."""
    (tmp_path / "app.py").write_text("def (:\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="not every file compiles"):
        compile_all(tmp_path, mounted_at="/var/task")
    assert "SyntaxError" in capsys.readouterr().out
