"""The installed agents."""

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from dayfly.agents.catalogue import Catalogue, discover
from dayfly.agents.models.factory import Models
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.errors import ConfigurationError, UnknownAgent
from functions.engine import agents as installed

_NUMBERS = itertools.count()
GOOD = "from dayfly.agents.sdk.definition import AgentDefinition\nagent = AgentDefinition(instructions='Help.')\n"


class OddType:
    """A type whose own schema fails."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> NoReturn:
        raise KeyError("schema")


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str | bytes) -> ModuleType:
    """A package of its own with these modules."""
    name = f"agents_under_test_{next(_NUMBERS)}"
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in files.items():
        (folder / name / f"{module}.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return importlib.import_module(name)


def test_the_default_agent_is_installed() -> None:
    """By the name of its module, with its six tools, of which one needs the user's approval."""
    assistant = discover(installed)["assistant"]
    assert isinstance(assistant, AgentDefinition)
    names = [tool.name for tool in assistant.toolkit]
    assert names == ["calculate", "current_time", "remember", "recall", "forget_note", "search_history"]
    assert [tool.name for tool in assistant.toolkit if tool.requires_approval] == ["forget_note"]
    assert all(tool.idempotent for tool in assistant.toolkit)


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


BROKEN = [
    ("x = 1", r"broken\.py: an agent's file has `agent = AgentDefinition\(\.\.\.\)`"),
    ("agent = 'assistant'", r"broken\.py: an agent's file has"),
    (
        "agent = type('A', (), {'run': None})()",
        r"broken\.py: `agent` is made anew .* the class, not an instance of it$",
    ),
    (
        "import nothing_of_this_name",
        r"broken\.py, line 1: ModuleNotFoundError: .*nothing_of_this_name'; .* functions/engine/requirements\.txt$",
    ),
    ("\nfrom dayfly.agents.sdk.definition import Nothing", r"broken\.py, line 2: ImportError: .*Nothing"),
    (GOOD.replace("Help.", ""), r"broken\.py, line 2: an agent has instructions$"),
    (GOOD.replace("'Help.'", "'Help.', model=7"), r"broken\.py, line 2: model is a text"),
    (GOOD.replace("'Help.'", "'Help.', tools=7"), r"broken\.py, line 2: TypeError"),
    (GOOD + "\ndef f(:", r"broken\.py, line 4: SyntaxError: [^()]+$"),
    ("from . import _bad", r"broken\.py, line 1: SyntaxError: .*_bad\.py, line 1"),
    ("raise ValueError('one\\n' + 'x' * 9000)", r"broken\.py, line 1: ValueError: one x{296}$"),
    ("raise SystemExit", r"broken\.py, line 1: SystemExit$"),
    (b"agent = '\xff'", r"broken\.py.*: SyntaxError"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_a_broken_file_breaks_its_own_agent_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str | bytes, why: str
) -> None:
    """The others go on; its own recipe names file, line and error; one short line is logged, without a stack."""
    files = {"also": GOOD, "broken": text, "weather": GOOD, "_bad": "x ="}
    catalogue = Catalogue(discover(package(tmp_path, monkeypatch, **files)), models=Models(), model="demo")
    assert catalogue.names == ("also", "weather")
    with pytest.raises(ConfigurationError, match=why) as raised:
        catalogue.recipe("broken")
    assert raised.value.__cause__ is None
    assert [(line.name, line.levelname, line.getMessage()) for line in caplog.records] == [
        ("dayfly.agents", "ERROR", str(raised.value))
    ]
    assert caplog.records[0].exc_info is None
    assert len(str(raised.value).removeprefix(str(tmp_path))) < 400
    assert "\n" not in str(raised.value)


def test_a_file_whose_name_is_no_agents_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not even imported."""
    found = discover(package(tmp_path, monkeypatch, wörter="raise KeyboardInterrupt", weather=GOOD))
    assert isinstance(found["weather"], AgentDefinition)
    assert "wörter.py: an agent's name is" in str(found["wörter"])


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
    found = discover(package(tmp_path, monkeypatch, one=GOOD, two=copy))
    assert isinstance(found["one"], AgentDefinition)
    assert str(found["two"]).endswith("two.py: holds the same agent as one")


def test_a_wrong_model_or_tool_of_an_agent_breaks_it_alone() -> None:
    """The others go on, and its own recipe says what is wrong."""

    def rest(*numbers: int) -> str:
        """Takes any number."""
        return str(numbers)

    def odd(what: OddType) -> str:
        """Takes what has no schema."""
        return str(what)

    for definition, why in (
        (AgentDefinition(instructions="Help.", model="gpt"), "agent wrong: .*'gpt'"),
        (AgentDefinition(instructions="Help.", model="openai:gpt"), "agent wrong: .*no key"),
        (AgentDefinition(instructions="Help.", tools=(rest,)), "agent wrong: .*rest"),
        (AgentDefinition(instructions="Help.", tools=(odd,)), "agent wrong: KeyError: 'schema'"),
    ):
        agents = {"wrong": definition, "right": AgentDefinition(instructions="Help.")}
        catalogue = Catalogue(agents, models=Models(), model="demo")
        assert catalogue.names == ("right",)
        with pytest.raises(ConfigurationError, match=why):
            catalogue.recipe("wrong")


def test_a_wrong_model_of_all_is_seen_at_start() -> None:
    """The deployment's own setting is nobody's alone: nothing starts with it."""
    with pytest.raises(ConfigurationError, match="'gpt'"):
        Catalogue({"any": AgentDefinition(instructions="Help.")}, models=Models(), model="gpt")
