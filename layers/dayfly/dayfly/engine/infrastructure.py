"""What a factory is configured with: process-lived, without any user's data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dayfly.agents.sdk.protocol import AgentRecipe
from dayfly.clock import Clock
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.delivery.poster import Poster
from dayfly.engine.agent_host import AgentHost
from dayfly.engine.limits import RunLimits
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.metrics import Meter
from dayfly.runs.invoker import Invoker
from dayfly.store.table import Table


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
