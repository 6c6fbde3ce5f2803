"""Which modules each function loads: what a cold start costs."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
LIBRARY: Final = ROOT / "layers" / "dayfly" / "dayfly"

HEAVY: Final = {
    "aws_xray_sdk",
    "boto3",
    "botocore.client",
    "cryptography",
    "jwt",
    "openai",
    "pydantic",
    "pydantic_ai",
}
"""Packages of others that cost a cold start dearly."""
ALL: Final = {"clock", "context", "errors", "metrics"}
CORE: Final = ALL | {"delivery", "history", "log", "protocol", "runs", "store", "text"}
TOLD: Final = {"settings", "telemetry", "telemetry.logs", "telemetry.meter", "telemetry.telemetry"}
WIRED: Final = (
    TOLD
    | {"calls", "dynamodb", "dynamodb.items", "dynamodb.table", "functions.wiring", "invoker"}
    | {
        "invocation_payloads",
        "poster",
    }
)
LOADED: Final = {
    "authorizer": (
        ALL,
        TOLD | {f"auth{part}" for part in ("", ".bearer", ".json_fetch", ".signing_keys", ".tokens", ".web_keys")},
        {"cryptography", "jwt"},
    ),
    "connection": (ALL | {"delivery", "protocol", "runs", "store"}, WIRED | {"auth", "auth.bearer"}, {"boto3"}),
    "router": (CORE | {"router"}, WIRED, {"boto3"}),
    "engine": (
        CORE | {"agents", "engine"},
        WIRED | {"dotenv", "models", "secrets", "telemetry.tracing"},
        {"boto3", "pydantic_ai"},
    ),
    "recovery": (CORE | {"recovery"}, WIRED, {"boto3"}),
}
"""What each function's root loads: packages of `dayfly`, modules of `dayfly.aws`, packages of others."""


def loaded_by(module: str) -> set[str]:
    """The names of all modules that a fresh interpreter has loaded after importing this one."""
    path = os.pathsep.join((str(ROOT / "layers" / "dayfly"), str(ROOT / "functions" / "engine")))
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print('\\n'.join(sys.modules))"],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("function", LOADED)
def test_a_root_loads_exactly_what_it_needs(function: str) -> None:
    """Of this library and of the heavy packages: the agent layer is the engine's alone, and the authorizer, whose cold
    start every new socket may wait for, makes do without boto3."""
    loaded = loaded_by(f"dayfly.aws.functions.{function}")
    packages, adapters, heavy = LOADED[function]
    assert {name.split(".")[1] for name in loaded if name.startswith("dayfly.")} == packages | {"aws"}
    inside = {name.removeprefix("dayfly.aws.") for name in loaded if name.startswith("dayfly.aws.")}
    assert inside == adapters | {"functions", f"functions.{function}"}
    aws = {"botocore.client"} if "boto3" in heavy else set()
    assert loaded & HEAVY == heavy | aws | {"pydantic"}


def test_only_roots_read_the_environment() -> None:
    """Nothing in the library reads `os.environ`; the roots are given it."""
    readers = [file for file in LIBRARY.rglob("*.py") if "environ[" in (text := file.read_text()) or "getenv" in text]
    assert [str(file.relative_to(LIBRARY)) for file in readers] in ([], ["aws/settings.py"])


@pytest.mark.parametrize("function", LOADED)
def test_a_functions_app_is_thin(function: str) -> None:
    """An `app.py` only binds its root's handler."""
    text = (ROOT / "functions" / function / "app.py").read_text()
    assert len(text.splitlines()) <= 30
    assert imports_of(ROOT / "functions" / function / "app.py") == {f"dayfly.aws.functions.{function}"}


def test_installed_agents_import_the_agent_layer_alone() -> None:
    """What a developer writes stands on `dayfly.agents`, and on nothing else of this library."""
    files = sorted((ROOT / "functions" / "engine" / "agents").rglob("*.py"))
    imported = set().union(*map(imports_of, files))
    assert imported
    assert {name for name in imported if not name.startswith("dayfly.agents.")} == set()


def test_functions_have_no_other_code() -> None:
    """Besides the five `app.py` and the agents there is nothing that could import the library."""
    files = {str(file.relative_to(ROOT / "functions")) for file in (ROOT / "functions").rglob("*.py")}
    assert {file for file in files if not file.startswith("engine/agents/")} == {f"{name}/app.py" for name in LOADED}


def imports_of(file: Path) -> set[str]:
    """The modules of this library that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name for name in names if name.split(".")[0] == "dayfly"}
