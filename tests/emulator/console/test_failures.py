"""What is wrong is told in one line, without a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator.console.program import application, refused, running

BROKEN = """
def handler(event, context):
    return (
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources:\n  A: [\n", "template.yaml:3:"),
        ("just: text\n", "it has no Resources"),
        ("\xff", "can't be read"),
    ],
)
async def test_a_template_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    """The file and where it is wrong, exit code 1."""
    template = tmp_path / "template.yaml"
    template.write_bytes(text.encode("latin-1"))
    code, lines = await refused("--template", str(template))
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith(f"emulator: {template}")
    assert said in lines[0]


async def test_a_folder_is_no_template(tmp_path: Path) -> None:
    """Said so, exit code 1."""
    assert await refused("--template", str(tmp_path)) == (1, [f"emulator: {tmp_path} can't be read: Is a directory"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--colour", "red"], "emulator: unrecognized arguments: --colour red (--help shows all options)"),
        (["--json"], "emulator: unrecognized arguments: --json (--help shows all options)"),
        (["--env", "NOVALUE"], "'NOVALUE' is not NAME=VALUE"),
        (["--port", "http"], "argument --port: invalid int value: 'http'"),
        (["--log-format", "xml"], "argument --log-format: invalid choice: 'xml'"),
    ],
)
async def test_an_option_that_is_wrong(arguments: list[str], said: str) -> None:
    """The option and what is wrong with it, exit code 2."""
    code, lines = await refused(*arguments)
    assert (code, len(lines)) == (2, 1)
    assert said in lines[0]


async def test_a_port_that_cannot_be(tmp_path: Path) -> None:
    """Named with its address, exit code 1."""
    code, lines = await refused("--template", str(application(tmp_path)), "--port", "70000")
    assert (code, len(lines)) == (1, 1)
    assert "cannot listen on 127.0.0.1:70000" in lines[0]


async def test_with_json_logs_why_it_could_not_start_is_json_too(tmp_path: Path) -> None:
    """A line of kind `failed`."""
    code, [line] = await refused("--template", str(tmp_path / "none.yaml"), "--json-logs")
    assert code == 1
    failed = json.loads(line)
    assert (failed["kind"], failed["level"]) == ("failed", "error")
    assert "none.yaml" in failed["message"]


async def test_a_syntax_error_is_told_at_the_start_and_answered_as_on_aws(tmp_path: Path) -> None:
    """File, line and message before anybody calls; the call gets Runtime.UserCodeSyntaxError; the API runs."""
    template = application(tmp_path, BROKEN)
    async with running(template) as emulator:
        await emulator.line(rf"Echo {tmp_path}/src/app.py:3: syntax error: '\(' was never closed")
        assert json.loads(await emulator.invoke())["errorType"] == "Runtime.UserCodeSyntaxError"
        await emulator.line(r"Echo could not start: Runtime.UserCodeSyntaxError: ")


async def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    """With where it should be written down."""
    template = application(tmp_path, "import nowhere.to_be_found\n\ndef handler(event, context):\n    pass\n")
    async with running(template) as emulator:
        assert json.loads(await emulator.invoke())["errorType"] == "Runtime.ImportModuleError"
        await emulator.line(
            r"Echo could not start: Runtime.ImportModuleError: Unable to import module 'app': "
            r"No module named 'nowhere'; is nowhere in requirements.txt beside the code, or in a layer\?"
        )


@pytest.mark.parametrize(
    ("handler", "said", "error"),
    [
        ("app.main", "handler app.main: {folder}/app.py has no main", "Runtime.HandlerNotFound"),
        ("main.handler", "handler main.handler: there is no {folder}/main.py", "Runtime.ImportModuleError"),
        ("app", "handler app is not MODULE.FUNCTION", "Runtime.MalformedHandlerName"),
    ],
)
async def test_a_handler_that_is_not_there(tmp_path: Path, handler: str, said: str, error: str) -> None:
    """Told at the start; a call is answered as on AWS."""
    template = application(tmp_path, handler=handler)
    async with running(template) as emulator:
        await emulator.line(f"Echo {said.format(folder=tmp_path / 'src')}$")
        assert json.loads(await emulator.invoke())["errorType"] == error
