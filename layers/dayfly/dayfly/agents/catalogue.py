"""Finds the installed agents and makes new ones."""

import importlib
import logging
import pkgutil
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from dayfly.agents.models.factory import ModelFactory
from dayfly.agents.pydantic.agent import PydanticAgent, PydanticAgentRecipe
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.sdk.protocol import AgentRecipe
from dayfly.errors import ConfigurationError, UnknownAgent
from dayfly.protocol import limits

_log: Final = logging.getLogger("dayfly.agents")

_REASON_CHARS: Final = 300
_PACKAGES: Final = "an agent's packages stand in functions/engine/requirements.txt"


@dataclass(frozen=True, slots=True)
class BrokenAgent:
    """Stands in an agent's place if the agent cannot be made, so that its name stays known and the error can be told.

    Attributes:
        where: The file, and the line if there is one.
        reason: One sentence.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"

    @classmethod
    def from_error(cls, error: BaseException, where: str) -> "BrokenAgent":
        """Tells what was raised and, if `where` is a file, in which of its lines."""
        line = _line(error, where)
        return cls(f"{where}, line {line}" if line else where, _sentence(error, where))


Installed = AgentDefinition | AgentRecipe | BrokenAgent
"""What an agent's file holds."""


class Catalogue:
    """The installed agents by name. Process-lived; holds definitions and no user's data.

    An agent is a definition, which pydantic-ai drives, or a recipe of its own behind the narrow protocol.
    """

    def __init__(self, agents: Mapping[str, Installed], *, models: ModelFactory, model: str) -> None:
        """Makes all recipes, so that a wrong setting is seen at start.

        If an agent is broken, names a model that cannot be served, or has a tool that no model could call, one line is
        logged and only that agent is left out.

        Args:
            agents: By their names.
            models: Turns a `MODEL` setting into a model's factory.
            model: The setting for definitions that name none.

        Raises:
            ConfigurationError: `model` is wrong, which all share.
        """
        self._recipes: dict[str, AgentRecipe] = {}
        self._broken: dict[str, BrokenAgent] = {}
        for name, agent in agents.items():
            found = _recipe_of(name, agent, models, model) if isinstance(agent, AgentDefinition) else agent
            if isinstance(found, BrokenAgent):
                _log.error("%s", found)
                self._broken[name] = found
            else:
                self._recipes[name] = found

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all agents that can be made, sorted."""
        return tuple(sorted(self._recipes))

    def recipe(self, name: str) -> AgentRecipe:
        """The recipe of the agent with this name.

        Raises:
            UnknownAgent: There is no such agent.
            ConfigurationError: The agent is broken.
        """
        if name in self._broken:
            raise ConfigurationError(str(self._broken[name]))
        try:
            return self._recipes[name]
        except KeyError:
            raise UnknownAgent(f"There is no agent named {name!r}.") from None


def _recipe_of(
    name: str, definition: AgentDefinition, models: ModelFactory, model: str
) -> PydanticAgentRecipe | BrokenAgent:
    if definition.model is None:
        models(model)  # wrong for one, it is wrong for all
    try:
        opened = models(definition.model or model, definition.settings)
        recipe = PydanticAgentRecipe(definition, opened, stalls=models.stalls(definition.settings))
        PydanticAgent.check(definition)
    except Exception as error:  # noqa: BLE001  # a parameter's type can be a developer's own, and bring its own schema
        return BrokenAgent.from_error(error, f"agent {name}")
    return recipe


def discover(package: ModuleType) -> dict[str, Installed]:
    """Finds the `agent` of every module of the package, by the module's name.

    It is an `AgentDefinition`, or a class (or function) that makes something with the narrow protocol's `run`. Modules
    whose names begin with `_` are helpers. If a module cannot be imported, has no `agent`, or holds another one's, a
    `BrokenAgent` that names the file is in its place, and nothing is raised: one developer's mistake must not silence
    the agents of the others.
    """
    found: dict[str, Installed] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        if not module_info.name.startswith("_"):
            found[module_info.name] = _found(package, module_info, found)
    return found


def _found(package: ModuleType, module_info: pkgutil.ModuleInfo, others: Mapping[str, Installed]) -> Installed:
    file = _file(package, module_info)
    if not re.fullmatch(limits.ENTITY_ID_PATTERN, module_info.name):
        return BrokenAgent(file, "an agent's name is 1 to 64 of A-Z, a-z, 0-9 and _")
    try:
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
    except (Exception, SystemExit) as error:  # noqa: BLE001  # somebody else's code, which can raise whatever there is
        return BrokenAgent.from_error(error, file)
    agent = getattr(module, "agent", None)
    if not isinstance(agent, AgentDefinition) and not callable(agent):
        if hasattr(agent, "run"):
            return BrokenAgent(file, "`agent` is made anew for each run: it is the class, not an instance of it")
        return BrokenAgent(file, "an agent's file has `agent = AgentDefinition(...)`; a helper's name begins with _")
    for other, same in others.items():
        if same is agent:
            return BrokenAgent(file, f"holds the same agent as {other}")
    return agent


def _file(package: ModuleType, module_info: pkgutil.ModuleInfo) -> str:
    place = Path(next(iter(package.__path__)), module_info.name)
    return str(place / "__init__.py" if module_info.ispkg else place.with_suffix(".py"))


def _line(error: BaseException, file: str) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None


def _sentence(error: BaseException, file: str) -> str:
    # What a syntax error says of itself ends with its file and line, which is news only for another file's.
    said = error.msg if isinstance(error, SyntaxError) and error.filename == file else str(error)
    kind = "" if isinstance(error, ConfigurationError) else type(error).__name__
    sentence = ": ".join(part for part in (kind, " ".join(said.split())[:_REASON_CHARS]) if part)
    return f"{sentence}; {_PACKAGES}" if isinstance(error, ModuleNotFoundError) else sentence
