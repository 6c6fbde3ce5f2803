"""Whether the libraries work with what the build leaves of botocore."""

import os
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from scripts.build import BOTOCORE_SERVICES

ROOT = Path(__file__).parents[2]

PROBE = """
import importlib, pkgutil, sys
import boto3, botocore
assert botocore.__file__.startswith(sys.argv[1]), botocore.__file__
for service in sys.argv[2:]:
    boto3.client(service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
import aws_lambda_powertools.logging, aws_lambda_powertools.metrics, aws_lambda_powertools.tracing, aws_xray_sdk.core
import pydantic_ai.models.bedrock, pydantic_ai.models.openai
import dayfly
for module in pkgutil.walk_packages(dayfly.__path__, "dayfly."):
    importlib.import_module(module.name)
"""


@pytest.fixture
def pruned(tmp_path: Path) -> Path:
    """A folder with botocore as the layer has it: linked, with the kept services' descriptions alone."""
    installed = Path(botocore.__file__).parent
    package = tmp_path / "botocore"
    (package / "data").mkdir(parents=True)
    for part in installed.iterdir():
        if part.name not in {"data", "__pycache__"}:
            (package / part.name).symlink_to(part)
    for part in (installed / "data").iterdir():
        if part.is_file() or part.name in BOTOCORE_SERVICES:
            (package / "data" / part.name).symlink_to(part)
    return tmp_path


def test_everything_imports_with_the_pruned_botocore(pruned: Path) -> None:
    """Each kept service yields a client, and every library and module of Dayfly imports, with no other description."""
    path = os.pathsep.join([str(pruned), str(ROOT / "layers" / "dayfly")])
    probe = [sys.executable, "-c", PROBE, str(pruned), *sorted(BOTOCORE_SERVICES)]
    done = subprocess.run(probe, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
