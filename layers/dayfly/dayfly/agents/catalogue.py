"""Finds the installed agents and makes new ones."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from dayfly.agents.definition import AgentDefinition
from dayfly.agents.models import ModelFactory
from dayfly.agents.protocol import Agent, AgentRecipe
from dayfly.agents.pydantic_agent import OpenModel, PydanticAgent
from dayfly.errors import ConfigurationError, UnknownAgent
from dayfly.protocol import limits


@dataclass(frozen=True, slots=True)
class Recipe:
    """Makes a new agent for each run: new tools, new model wrapper, new connections."""

    definition: AgentDefinition
    open_model: OpenModel

    def __call__(self) -> Agent:
        return PydanticAgent(self.definition, self.open_model)


class Catalogue:
    """The installed agents by name. Process-lived; holds definitions and no user's data.

    An agent is a definition, driven by pydantic-ai, or a recipe of its own behind the narrow protocol. `models` turns a
    `MODEL` setting into a model's factory, and is asked once for each definition here, so that a wrong setting is seen
    at start. Raises `ConfigurationError` for that, or for a tool that no model could call.
    """

    def __init__(
        self, definitions: Mapping[str, AgentDefinition | AgentRecipe], *, models: ModelFactory, model: str
    ) -> None:
        self._recipes: dict[str, AgentRecipe] = {}
        for name, definition in definitions.items():
            if not isinstance(definition, AgentDefinition):
                self._recipes[name] = definition
                continue
            try:
                self._recipes[name] = Recipe(definition, models(definition.model or model))
                PydanticAgent.check(definition)
            except ConfigurationError as error:
                raise ConfigurationError(f"agent {name}: {error}") from error

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all agents, sorted."""
        return tuple(sorted(self._recipes))

    def recipe(self, name: str) -> AgentRecipe:
        """The recipe of the agent with this name. Raises `UnknownAgent`."""
        try:
            return self._recipes[name]
        except KeyError:
            raise UnknownAgent(f"There is no agent named {name!r}.") from None


def discover(package: ModuleType) -> dict[str, AgentDefinition | AgentRecipe]:
    """The `agent` of every module of the package, by the module's name. Modules whose names begin with `_` are helpers.
    It is an `AgentDefinition`, or a class (or function) that makes something with the narrow protocol's `run`.

    Raises `ConfigurationError`, naming the file, where a module cannot be imported or has no `agent`, or where two
    modules hold the same one.
    """
    found: dict[str, AgentDefinition | AgentRecipe] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        if module_info.name.startswith("_"):
            continue
        module = _import(f"{package.__name__}.{module_info.name}", package)
        if not re.fullmatch(limits.ENTITY_ID_PATTERN, module_info.name):
            raise ConfigurationError(f"{module.__file__}: an agent's name is 1 to 64 of A-Z, a-z, 0-9 and _")
        definition = getattr(module, "agent", None)
        if not isinstance(definition, AgentDefinition) and not callable(definition):
            raise ConfigurationError(f"{module.__file__}: an agent's file has `agent = AgentDefinition(...)`")
        for other, same in found.items():
            if same is definition:
                raise ConfigurationError(f"{module.__file__}: holds the same agent as {other}")
        found[module_info.name] = definition
    return found


def _import(name: str, package: ModuleType) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        file = f"{next(iter(package.__path__))}/{name.rpartition('.')[2]}.py"
        raise ConfigurationError(f"{file}: {type(error).__name__}: {error}") from error
