"""Which modules each function loads: what a cold start costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
AGENT_LAYER = {"pydantic_ai", "openai"}
NOT_FOR = {
    "authorizer": AGENT_LAYER
    | {
        "boto3",
        "botocore.client",
        "botocore.config",
        "dayfly.agents",
        "dayfly.router",
        "dayfly.engine",
        "dayfly.aws.dynamodb.table",
    },
    "connection": AGENT_LAYER | {"jwt", "cryptography", "dayfly.agents", "dayfly.engine", "dayfly.recovery"},
    "router": AGENT_LAYER | {"jwt", "cryptography", "dayfly.engine", "dayfly.recovery", "aws_xray_sdk"},
    "recovery": AGENT_LAYER | {"jwt", "cryptography", "dayfly.engine", "aws_xray_sdk"},
    "engine": {"jwt", "openai", "dayfly.router", "dayfly.recovery"},
}


@pytest.mark.parametrize("function", NOT_FOR)
def test_a_root_loads_only_what_it_needs(function: str) -> None:
    """A function's root leaves out what belongs to others; above all the agent layer is the engine's alone."""
    code = f"import sys, dayfly.aws.functions.{function}; print('\\n'.join(sys.modules))"
    path = os.pathsep.join((str(ROOT / "layers" / "dayfly"), str(ROOT / "functions" / "engine")))
    loaded = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True, timeout=60
    )
    assert NOT_FOR[function] & set(loaded.stdout.split()) == set()


def test_only_roots_read_the_environment() -> None:
    """Nothing in the library reads `os.environ`; the roots are given it."""
    library = ROOT / "layers" / "dayfly" / "dayfly"
    readers = [file for file in library.rglob("*.py") if "environ[" in (text := file.read_text()) or "getenv" in text]
    assert [str(file.relative_to(library)) for file in readers] in ([], ["aws/settings.py"])


@pytest.mark.parametrize("function", NOT_FOR)
def test_a_functions_app_is_thin(function: str) -> None:
    """An `app.py` only binds its root's handler."""
    text = (ROOT / "functions" / function / "app.py").read_text()
    assert len(text.splitlines()) <= 30
    assert f"from dayfly.aws.functions.{function} import" in text
