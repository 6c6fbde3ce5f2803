"""What a function sees of the machine: its own packages and the runtime's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emulator.packages import Packages
from tests.emulator.functions.support import answer, function, running

HANDLER = """


def handler(event, context):
    if event == "exit":
        exit(3)
    try:
        import starlette
    except ImportError as error:
        return str(error)
    return starlette.__file__
"""


async def test_the_emulators_packages_are_not_seen(tmp_path: Path) -> None:
    """With an import path of its own a function runs without them; without one it finds them."""
    there = function(tmp_path, HANDLER, name="there")
    alone = replace(
        function(tmp_path, HANDLER, name="alone"), import_path=(Packages(folder=tmp_path / "cache").runtime(),)
    )
    async with running(there, alone) as service:
        assert str(answer(await service.invoke("there", b"{}"))).endswith("__init__.py")
        assert answer(await service.invoke("alone", b"{}")) == "No module named 'starlette'"


async def test_exit_is_there_without_site_packages(tmp_path: Path) -> None:
    """Handlers call it, as on Lambda; the environment ends with its status."""
    alone = replace(
        function(tmp_path, HANDLER, name="alone"), import_path=(Packages(folder=tmp_path / "cache").runtime(),)
    )
    async with running(alone) as service:
        found = await service.invoke("alone", b'"exit"')
    assert found.function_error == "Unhandled"
    assert b"exit status 3" in found.payload or b"SystemExit" in found.payload


async def test_a_path_of_the_functions_own_stands_before_the_runtimes(tmp_path: Path) -> None:
    """PYTHONPATH of the template adds folders; the runtime client is found all the same."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more/extra.py").write_text("x = 'extra'\n", encoding="utf-8")
    code = "import extra\ndef handler(event, context):\n    return extra.x\n"
    own = function(tmp_path, code, name="own", environment={"PYTHONPATH": str(tmp_path / "more")})
    async with running(replace(own, import_path=(Packages(folder=tmp_path / "cache").runtime(),))) as service:
        assert answer(await service.invoke("own", b"{}")) == "extra"
