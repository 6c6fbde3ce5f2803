"""The installed agents."""

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dayfly.agents.catalogue import Catalogue, discover
from dayfly.agents.definition import AgentDefinition
from dayfly.agents.models import Models
from dayfly.errors import ConfigurationError, UnknownAgent
from functions.engine import agents as installed

_NUMBERS = itertools.count()
GOOD = "from dayfly.agents.definition import AgentDefinition\nagent = AgentDefinition(instructions='Help.')\n"


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> ModuleType:
    """A package of its own with these modules."""
    name = f"agents_under_test_{next(_NUMBERS)}"
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in files.items():
        (folder / name / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return importlib.import_module(name)


def test_the_default_agent_is_installed() -> None:
    """By the name of its module, with its five tools."""
    assistant = discover(installed)["assistant"]
    assert isinstance(assistant, AgentDefinition)
    names = [tool.__name__ for tool in assistant.tools]
    assert names == ["calculate", "current_time", "remember", "recall", "search_history"]


def test_each_run_gets_an_agent_of_its_own() -> None:
    """A recipe makes a new one each time."""
    catalogue = Catalogue(discover(installed), models=Models(), model="demo")
    recipe = catalogue.recipe("assistant")
    assert recipe() is not recipe()
    assert "assistant" in catalogue.names


def test_an_unknown_agent_is_not_replaced() -> None:
    """There is no default to fall back on."""
    with pytest.raises(UnknownAgent, match="nobody"):
        Catalogue({}, models=Models(), model="demo").recipe("nobody")


def test_modules_are_found_and_helpers_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leading underscore marks a helper."""
    assert list(discover(package(tmp_path, monkeypatch, weather=GOOD, _helper="x = 1"))) == ["weather"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1", r"broken\.py.*agent = AgentDefinition"),
        ("agent = 'assistant'", r"broken\.py.*agent = AgentDefinition"),
        ("import nothing_of_this_name", r"broken\.py.*nothing_of_this_name"),
        (GOOD.replace("Help.", ""), r"broken\.py.*instructions"),
        ("def f(:", r"broken\.py.*SyntaxError"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    """The start fails, and says in which file."""
    with pytest.raises(ConfigurationError, match=why):
        discover(package(tmp_path, monkeypatch, broken=text))


def test_an_agent_may_stand_behind_the_protocol_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe is kept as it is; no model is asked for."""
    text = "class agent:\n    def run(self, turn):\n        raise NotImplementedError\n"
    found = discover(package(tmp_path, monkeypatch, own=text))
    assert Catalogue(found, models=Models(), model="nonsense").recipe("own") is found["own"]


def test_two_names_for_one_agent_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent imported into another's file is a mistake."""
    name = f"agents_under_test_{next(_NUMBERS)}"
    monkeypatch.setattr("tests.unit.agents.test_catalogue._NUMBERS", iter([int(name.rpartition("_")[2])]))
    copy = f"from {name}.one import agent\n"
    with pytest.raises(ConfigurationError, match=r"two\.py.*same agent as one"):
        discover(package(tmp_path, monkeypatch, one=GOOD, two=copy))


def test_a_wrong_model_or_tool_is_seen_at_start() -> None:
    """The error names the agent."""

    def rest(*numbers: int) -> str:
        """Takes any number."""
        return str(numbers)

    for definition in (
        AgentDefinition(instructions="Help.", model="gpt"),
        AgentDefinition(instructions="Help.", tools=(rest,)),
    ):
        with pytest.raises(ConfigurationError, match="agent wrong"):
            Catalogue({"wrong": definition}, models=Models(), model="demo")
