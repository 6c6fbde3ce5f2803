"""Finds the installed agents and makes new ones."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from dayfly.agents.definition import AgentDefinition
from dayfly.agents.models import ModelFactory
from dayfly.agents.protocol import Agent, AgentRecipe
from dayfly.agents.pydantic_agent import OpenModel, PydanticAgent
from dayfly.errors import ConfigurationError, UnknownAgent


@dataclass(frozen=True, slots=True)
class Recipe:
    """Makes a new agent for each run: new tools, new model wrapper, new connections."""

    definition: AgentDefinition
    open_model: OpenModel

    def __call__(self) -> Agent:
        return PydanticAgent(self.definition, self.open_model)


class Catalogue:
    """The installed agents by name. Process-lived; holds definitions and no user's data.

    `models` turns a `MODEL` setting into a model's factory, and is asked once for each agent here, so that a wrong
    setting is seen at start. Raises `ConfigurationError` for that, or for a tool that no model could call.
    """

    def __init__(self, definitions: Mapping[str, AgentDefinition], *, models: ModelFactory, model: str) -> None:
        self._recipes: dict[str, Recipe] = {}
        for name, definition in definitions.items():
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


def discover(package: ModuleType) -> dict[str, AgentDefinition]:
    """The `agent` of every module of the package, by the module's name. Modules whose names begin with `_` are helpers.

    Raises `ConfigurationError`, naming the file, where a module cannot be imported or has no `agent`, or where two
    modules hold the same one.
    """
    found: dict[str, AgentDefinition] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        if module_info.name.startswith("_"):
            continue
        module = _import(f"{package.__name__}.{module_info.name}")
        definition = getattr(module, "agent", None)
        if not isinstance(definition, AgentDefinition):
            raise ConfigurationError(f"{module.__file__}: an agent's file has `agent = AgentDefinition(...)`")
        for other, same in found.items():
            if same is definition:
                raise ConfigurationError(f"{module.__file__}: holds the same agent as {other}")
        found[module_info.name] = definition
    return found


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error
