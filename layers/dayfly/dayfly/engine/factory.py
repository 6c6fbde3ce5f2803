"""Makes engines: configured once per process, asked once per run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dayfly.agents.sdk.protocol import Agent, AgentRecipe
from dayfly.agents.secrets import RunSecrets
from dayfly.context.execution import UserExecutionContext
from dayfly.delivery.bridge import WebSocketBridge
from dayfly.engine.agent_host import AgentHost, ThreadHost
from dayfly.engine.engine import IsolatedExecutionEngine
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import ConfigurationError, DayflyError
from dayfly.log.writer import LogPosition
from dayfly.metrics import Metric
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter


class Agents(Protocol):
    """The agents that are installed."""

    def recipe(self, name: str) -> AgentRecipe:
        """How to build this agent anew. Raises `UnknownAgent`."""


BridgeRecipe = Callable[[UserExecutionContext], WebSocketBridge]
UpdatesRecipe = Callable[[], PeriodicUpdateManager]
HostRecipe = Callable[[], AgentHost]
SecretsRecipe = Callable[[], RunSecrets]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfrastructure:
    """The collaborators of every engine. The recipes are called once per run."""

    ports: Ports
    agents: Agents
    bridge: BridgeRecipe
    updates: UpdatesRecipe
    host: HostRecipe
    secrets: SecretsRecipe
    limits: RunLimits
    show_reasoning: bool


class ExecutionEngineFactory:
    """Gives a new `IsolatedExecutionEngine` for each context. It never degrades and never substitutes another engine:
    what is missing or does not fit raises `ConfigurationError`."""

    def __init__(self) -> None:
        self._infrastructure: EngineInfrastructure | None = None

    def configure(
        self,
        *,
        ports: Ports | None,
        agents: Agents | None,
        bridge: BridgeRecipe | None = None,
        updates: UpdatesRecipe | None = None,
        host: HostRecipe | None = None,
        secrets: SecretsRecipe | None = None,
        limits: RunLimits | None = None,
        show_reasoning: bool = True,
    ) -> None:
        """Takes the infrastructure, which carries no user's data, once.

        Args:
            ports: Cannot be built per run: `None` is refused, by name, as is `None` for one of them.
            agents: Likewise.
            bridge: A recipe; `None` means "build one per run", as for `updates`, `host` and `secrets`.
            limits: Have defaults.
            show_reasoning: Whether what models reason is told to clients, of whichever agent.

        Raises:
            ConfigurationError: Something is missing, or the factory is configured already.
        """
        if self._infrastructure is not None:
            raise ConfigurationError("the factory is configured already")
        if ports is None or agents is None:
            missing = [name for name, given in (("ports", ports), ("agents", agents)) if given is None]
            raise ConfigurationError(f"cannot be built per run, so must be given: {', '.join(missing)}")

        def new_bridge(context: UserExecutionContext) -> WebSocketBridge:
            position = LogPosition(
                ref=context.ref,
                agent_name=context.agent_name,
                invocation_id=context.invocation_id,
                next_seq=context.first_seq,
            )
            return WebSocketBridge.at(position, table=ports.table, poster=ports.poster, clock=ports.clock)

        self._infrastructure = EngineInfrastructure(
            ports=ports,
            agents=agents,
            bridge=bridge or new_bridge,
            updates=updates or PeriodicUpdateManager,
            host=host or ThreadHost,
            secrets=secrets or RunSecrets,
            limits=limits or RunLimits(),
            show_reasoning=show_reasoning,
        )

    def create(self, context: UserExecutionContext) -> IsolatedExecutionEngine:
        """A new engine for this context. Call it inside the event loop that will run it.

        Raises `ConfigurationError` before `configure`, where a recipe gives something of another type, or where an
        agent's own making raises; `UnknownAgent` for an agent that is not installed.
        """
        parts = self._infrastructure
        if parts is None:
            raise ConfigurationError("configure the factory before it creates engines")
        ports = parts.ports
        started = ports.clock.monotonic()
        agent = _made(parts.agents.recipe(context.agent_name), context.agent_name)
        bridge, updates, host, secrets = parts.bridge(context), parts.updates(), parts.host(), parts.secrets()
        _require("bridge", bridge, WebSocketBridge)
        _require("updates", updates, PeriodicUpdateManager)
        _require("host", host, AgentHost)
        _require("secrets", secrets, RunSecrets)
        if not callable(getattr(agent, "run", None)):
            raise ConfigurationError(f"the recipe of agent {context.agent_name!r} gave {type(agent).__name__}")
        engine = IsolatedExecutionEngine(
            context,
            agent=agent,
            bridge=bridge,
            updates=updates,
            host=host,
            run_writer=RunWriter(ports=ports, invocation_id=context.invocation_id),
            limits=parts.limits,
            secrets=secrets,
            show_reasoning=parts.show_reasoning,
        )
        ports.meter.add(Metric.ENGINES_CREATED)
        ports.meter.add(Metric.ENGINE_CREATION_TIME, (ports.clock.monotonic() - started) * 1000)
        return engine


def _made(recipe: AgentRecipe, name: str) -> Agent:
    try:
        return recipe()
    except DayflyError:
        raise
    except Exception as error:
        # A developer's own class, which can raise whatever there is.
        raise ConfigurationError(f"the agent {name!r} could not be made: {type(error).__name__}: {error}") from error


def _require(name: str, made: object, kind: type) -> None:
    if not isinstance(made, kind):
        raise ConfigurationError(f"the recipe for `{name}` gave {type(made).__name__}, not {kind.__name__}")
