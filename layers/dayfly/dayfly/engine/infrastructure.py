"""What a factory is configured with: process-lived, without any user's data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dayfly.agents.protocol import AgentRecipe
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.agent_host import AgentHost
from dayfly.engine.limits import RunLimits
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.ports.clock import Clock
from dayfly.ports.invoker import Invoker
from dayfly.ports.meter import Meter
from dayfly.ports.poster import Poster
from dayfly.ports.table import Table
from dayfly.publisher.bridge import WebSocketBridge


class Agents(Protocol):
    """The agents that are installed."""

    def recipe(self, name: str) -> AgentRecipe:
        """How to build this agent anew. Raises `UnknownAgent`."""


BridgeRecipe = Callable[[UserExecutionContext], WebSocketBridge]
UpdatesRecipe = Callable[[], PeriodicUpdateManager]
HostRecipe = Callable[[], AgentHost]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfrastructure:
    """The collaborators of every engine. The recipes are called once per run."""

    table: Table
    poster: Poster
    invoker: Invoker
    agents: Agents
    clock: Clock
    meter: Meter
    bridge: BridgeRecipe
    updates: UpdatesRecipe
    host: HostRecipe
    limits: RunLimits
