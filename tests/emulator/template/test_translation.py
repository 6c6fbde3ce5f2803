"""Translations are kept, so that a start does not pay for the SAM translator."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.template import load
from tests.emulator.template.support import FUNCTIONS, SAM, read

ASKING = """
import sys
from pathlib import Path
from emulator.template import load

load(Path(sys.argv[1]))
print("samtranslator.translator.translator" in sys.modules)
"""
TEXT = f"{SAM}Resources:{FUNCTIONS}"


@pytest.fixture(autouse=True)
def source(tmp_path: Path) -> None:
    """The folder that the template names."""
    (tmp_path / "src").mkdir()


def translator_is_imported(template: Path) -> bool:
    """Whether another process that reads the template imports the translator."""
    said = subprocess.run(
        [sys.executable, "-c", ASKING, str(template)], capture_output=True, text=True, check=True, timeout=60
    )
    return said.stdout.strip() == "True"


def test_the_translator_is_imported_for_a_new_text_alone(tmp_path: Path) -> None:
    """The first start imports it, the second does not, one after a change of the template does again."""
    template = tmp_path / "template.yaml"
    template.write_text(TEXT, encoding="utf-8")
    first, second = translator_is_imported(template), translator_is_imported(template)
    template.write_text(TEXT.replace("app.open", "app.other"), encoding="utf-8")
    assert (first, second, translator_is_imported(template)) == (True, False, True)


def test_what_was_kept_is_the_same_application(tmp_path: Path) -> None:
    """Down to the last name and note; parameters make another one."""
    text = f"{TEXT}\nParameters: {{Size: {{Type: Number, Default: 1}}}}\n".replace(
        "Handler: app.open,", "Handler: app.open, MemorySize: !Ref Size,"
    )
    fresh = read(tmp_path, text, parameters={"Size": "128"})
    assert read(tmp_path, text, parameters={"Size": "128"}) == fresh
    assert read(tmp_path, text, parameters={"Size": "256"}) != fresh


def test_a_kept_file_that_is_broken_is_made_again(tmp_path: Path, cache: Path) -> None:
    """As after a machine that lost power: it is no reason not to start."""
    application = read(tmp_path, TEXT)
    (kept,) = (cache / "dayfly" / "templates").iterdir()
    kept.write_text("", encoding="utf-8")
    assert read(tmp_path, TEXT) == application
    assert kept.stat().st_size > 0


def test_the_oldest_leave(tmp_path: Path, cache: Path) -> None:
    """Fifty are kept: of 60 older ones and a new one the new one and the youngest of the others."""
    folder = cache / "dayfly" / "templates"
    folder.mkdir(parents=True)
    for age in range(60):
        (folder / f"{age}.json").write_text("{}")
        os.utime(folder / f"{age}.json", (1000 - age, 1000 - age))
    read(tmp_path, TEXT)
    names = {each.stem for each in folder.iterdir()}
    assert len(names) == 50
    assert {str(age) for age in range(49)} < names


def test_a_value_without_a_form_in_json_is_read_all_the_same(tmp_path: Path, cache: Path) -> None:
    """YAML's binary texts: nothing is kept of such a template."""
    load_twice = [read(tmp_path, f"{TEXT}\nMetadata: {{Logo: !!binary aGk=}}\n") for _ in range(2)]
    assert load_twice[0] == load_twice[1]
    assert not (cache / "dayfly" / "templates").exists()
    assert load(tmp_path / "template.yaml") == load_twice[0]
