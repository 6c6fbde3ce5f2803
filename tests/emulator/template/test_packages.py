"""What functions and layers require, and where their modules are looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emulator.template import TemplateError
from tests.emulator.template.support import HERE, SAM, functions, read, told

FUNCTION = f"Type: AWS::Serverless::Function\n    Properties: {{Handler: app.handler, Runtime: {HERE}, CodeUri: src"


def write(folder: Path, **files: str) -> None:
    """Files by path, with `__` for a slash and `_py` or `_txt` at the end."""
    for name, text in files.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def imported(path: tuple[Path, ...], code: str) -> str:
    """What a Python that sees these folders alone prints."""
    said = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code],
        env={"PYTHONPATH": ":".join(map(str, path))}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return said.stdout + said.stderr


def test_a_function_sees_what_it_requires_and_the_runtime_alone(tmp_path: Path) -> None:
    """Its requirements.txt and boto3; not what the emulator happens to need itself."""
    write(tmp_path, src__app_py="", src__requirements_txt="idna\n")
    (spec,) = read(tmp_path, f"{SAM}Resources:\n  F:\n    {FUNCTION}}}").functions
    assert spec.import_path is not None
    assert imported(spec.import_path, "import idna, boto3, awslambdaric; print('here')") == "here\n"
    assert "No module named 'starlette'" in imported(spec.import_path, "import starlette")


def test_layers_stand_behind_the_code_and_the_last_before_the_others(tmp_path: Path) -> None:
    """With or without python/, with a folder deeper in it, each with what it requires."""
    write(tmp_path, src__app_py="", one__python__both_py="x = 1", one__requirements_txt="idna")
    write(tmp_path, two__both_py="x = 2", two__requirements_txt="# nothing")
    write(tmp_path, **{f"three__python__lib__{HERE}__site-packages__deep_py": "x = 3"})
    application = read(
        tmp_path,
        f"""{SAM}Resources:
  One: {{Type: AWS::Serverless::LayerVersion, Metadata: {{BuildMethod: {HERE}}}, Properties: {{ContentUri: one}}}}
  Two: {{Type: AWS::Serverless::LayerVersion, Metadata: {{BuildMethod: {HERE}}}, Properties: {{ContentUri: two}}}}
  Three: {{Type: AWS::Lambda::LayerVersion, Properties: {{Content: three}}}}
  F:
    {FUNCTION}, Layers: [!Ref One, !Ref Two, !Ref Three]}}
""",
    )
    spec = functions(application)["F"]
    assert spec.layer_dirs == (tmp_path / "one/python", tmp_path / "two", tmp_path / "three/python")
    assert spec.import_path is not None
    assert imported(spec.import_path, "import both, deep, idna; print(both.x, deep.x)") == "2 3\n"
    assert told(application) == []


def test_a_layer_that_aws_would_not_find_is_told(tmp_path: Path) -> None:
    """Neither python/ nor a BuildMethod, and a requirements.txt that nobody would install."""
    write(tmp_path, src__app_py="", bare__both_py="", bare__requirements_txt="idna")
    application = read(
        tmp_path,
        f"""{SAM}Resources:
  Bare: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: bare, RetentionPolicy: Delete}}}}
  F:
    {FUNCTION}, Layers: [!Ref Bare]}}
""",
    )
    assert [line.split(": ", 1)[1] for line in told(application)] == [
        "it has neither a folder python/ nor a BuildMethod; on AWS its modules are not found",
        "its requirements.txt is installed here, but `sam build` does so only with a BuildMethod",
    ]


def test_the_layer_of_powertools_is_stood_in_for(tmp_path: Path) -> None:
    """By the package that is installed here, and that is told; any other foreign layer is left out."""
    write(tmp_path, src__app_py="")
    account = "arn:aws:lambda:${AWS::Region}:017000801446:layer"
    application = read(
        tmp_path,
        f"""{SAM}Resources:
  F:
    {FUNCTION}, Layers: [!Sub "{account}:AWSLambdaPowertoolsPythonV3-python313-x86_64:7", "{account}:Other:1"]}}
""".replace('"arn:aws:lambda:${AWS::Region}:017000801446:layer:Other', '"arn:aws:lambda:us-east-1:1:layer:Other'),
    )
    (spec,) = application.functions
    assert spec.import_path is not None
    assert imported(spec.import_path, "from aws_lambda_powertools import Logger; print('here')") == "here\n"
    assert sorted(told(application)) == [
        "layer arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7: "
        "the installed aws-lambda-powertools stands for it, without its other versions",
        "layer arn:aws:lambda:us-east-1:1:layer:Other:1 is not in the template, so it is left out",
    ]


def test_requirements_that_cannot_be_installed_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the function and what is missing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    write(tmp_path, src__app_py="", src__requirements_txt="surely-no-such-package==1\n")
    said = r"F: requirements\.txt can't be installed: .*surely-no-such-package"
    with pytest.raises(TemplateError, match=said) as error:
        read(tmp_path, f"{SAM}Resources:\n  F:\n    {FUNCTION}}}")
    assert "\n" not in str(error.value)


def test_all_missing_folders_are_named_before_anything_is_installed(tmp_path: Path) -> None:
    """One line with the layers and the functions, though another function requires packages."""
    write(tmp_path, src__app_py="", src__requirements_txt="surely-no-such-package==1\n")
    text = f"""{SAM}Resources:
  F:
    {FUNCTION}}}
  G:
    {FUNCTION}/g}}
  H:
    {FUNCTION}/h, Layers: [!Ref L]}}
  Other: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b, Runtime: nodejs22.x, CodeUri: js}}}}
  L: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: layer}}}}
"""
    with pytest.raises(TemplateError) as error:
        read(tmp_path, text)
    assert [each.split(": ")[1] for each in str(error.value).split("; ")] == [
        "there is no folder layer",
        "there is no folder src/g",
        "there is no folder src/h",
    ]
    assert "\n" not in str(error.value)
