"""What a developer imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.agents import sdk, testing, tools
from dayfly.agents.sdk import testing as trying

ROOT = Path(__file__).parents[4]
PUBLIC = {module.__name__: set(module.__all__) for module in (sdk, trying, testing, tools)}
DEVELOPERS = [*(ROOT / "examples").rglob("*.py"), *(ROOT / "functions/engine/agents").rglob("*.py")]


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Each name of dayfly's that the source imports, behind its module; `*` for a module as a whole."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names if alias.name.partition(".")[0] == "dayfly")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dayfly":
            yield from ((node.module or "", alias.name) for alias in node.names)


def not_public(source: str) -> list[tuple[str, str]]:
    return [(module, name) for module, name in imported(source) if name not in PUBLIC.get(module, ())]


@pytest.mark.parametrize("file", DEVELOPERS, ids=lambda file: file.name)
def test_agents_need_nothing_but_what_is_documented(file: Path) -> None:
    """The examples and the default agent import public names alone."""
    assert not_public(file.read_text()) == []


def test_the_readme_shows_nothing_else() -> None:
    """Each of its Python blocks that imports anything of dayfly's imports public names."""
    blocks = [block.partition("```")[0] for block in (ROOT / "README.md").read_text().split("```python\n")[1:]]
    shown = [name for block in blocks for name in imported(block)]
    assert ("dayfly.agents.sdk", "AgentDefinition") in shown
    assert [name for block in blocks for name in not_public(block)] == []


def test_what_is_not_public_is_seen() -> None:
    """An inner module, a name that is not exported, and a module as a whole."""
    assert DEVELOPERS
    for source in ("from dayfly.log.messages import UserSaid", "from dayfly.agents.sdk import keys", "import dayfly"):
        assert len(not_public(source)) == 1
    assert not_public("from dayfly.agents.sdk import UserSaid") == []


def test_what_is_exported_is_there() -> None:
    """Each name once."""
    for module in (sdk, trying, testing, tools):
        assert all(hasattr(module, name) for name in module.__all__)
        assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize(("module", "loads"), [("dayfly.agents.sdk", False), ("dayfly.agents.sdk.testing", True)])
def test_writing_an_agent_takes_no_agent_library(module: str, *, loads: bool) -> None:
    """Only trying it loads pydantic-ai."""
    code = f"import sys, {module}; print('pydantic_ai' in sys.modules)"
    env = {"PYTHONPATH": str(ROOT / "layers/dayfly")}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(loads)
