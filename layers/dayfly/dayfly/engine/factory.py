"""Makes engines: configured once per process, asked once per run."""

from dayfly.agents.protocol import Agent, AgentRecipe
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.agent_host import AgentHost, ThreadHost
from dayfly.engine.engine import IsolatedExecutionEngine
from dayfly.engine.infrastructure import Agents, BridgeRecipe, EngineInfrastructure, HostRecipe, UpdatesRecipe
from dayfly.engine.limits import RunLimits
from dayfly.engine.periodic_updates import PeriodicUpdateManager
from dayfly.errors import ConfigurationError, DayflyError
from dayfly.ports.clock import Clock
from dayfly.ports.invoker import Invoker
from dayfly.ports.meter import Meter, Metric
from dayfly.ports.poster import Poster
from dayfly.ports.table import Table
from dayfly.publisher.bridge import WebSocketBridge
from dayfly.publisher.log_writer import LogPosition
from dayfly.publisher.outside import Outside


class ExecutionEngineFactory:
    """Gives a new `IsolatedExecutionEngine` for each context. It never degrades and never substitutes another engine:
    what is missing or does not fit raises `ConfigurationError`."""

    def __init__(self) -> None:
        self._infrastructure: EngineInfrastructure | None = None

    def configure(
        self,
        *,
        table: Table | None,
        poster: Poster | None,
        invoker: Invoker | None,
        agents: Agents | None,
        clock: Clock | None,
        meter: Meter | None,
        bridge: BridgeRecipe | None = None,
        updates: UpdatesRecipe | None = None,
        host: HostRecipe | None = None,
        limits: RunLimits | None = None,
    ) -> None:
        """Takes the infrastructure, which carries no user's data, once.

        `bridge`, `updates` and `host` are recipes; `None` means "build one per run". `table`, `poster`, `invoker`,
        `agents`, `clock` and `meter` cannot be built per run: `None` for one of them is refused, by name. `limits` has
        defaults.
        """
        if self._infrastructure is not None:
            raise ConfigurationError("the factory is configured already")
        required = {
            "table": table,
            "poster": poster,
            "invoker": invoker,
            "agents": agents,
            "clock": clock,
            "meter": meter,
        }
        missing = [name for name, collaborator in required.items() if collaborator is None]
        if table is None or poster is None or invoker is None or agents is None or clock is None or meter is None:
            raise ConfigurationError(f"cannot be built per run, so must be given: {', '.join(missing)}")

        def new_bridge(context: UserExecutionContext) -> WebSocketBridge:
            position = LogPosition(
                user=context.user_id,
                thread=context.thread_id,
                run=context.run_id,
                agent_name=context.agent_name,
                invocation=context.invocation_id,
                next_seq=context.first_seq,
            )
            return WebSocketBridge.at(position, table=table, poster=poster, clock=clock)

        self._infrastructure = EngineInfrastructure(
            table=table,
            poster=poster,
            invoker=invoker,
            agents=agents,
            clock=clock,
            meter=meter,
            bridge=bridge or new_bridge,
            updates=updates or PeriodicUpdateManager,
            host=host or ThreadHost,
            limits=limits or RunLimits(),
        )

    def create(self, context: UserExecutionContext) -> IsolatedExecutionEngine:
        """A new engine for this context. Call it inside the event loop that will run it.

        Raises `ConfigurationError` before `configure`, where a recipe gives something of another type, or where an
        agent's own making raises; `UnknownAgent` for an agent that is not installed.
        """
        parts = self._infrastructure
        if parts is None:
            raise ConfigurationError("configure the factory before it creates engines")
        started = parts.clock.monotonic()
        agent = _made(parts.agents.recipe(context.agent_name), context.agent_name)
        bridge, updates, host = parts.bridge(context), parts.updates(), parts.host()
        _require("bridge", bridge, WebSocketBridge)
        _require("updates", updates, PeriodicUpdateManager)
        _require("host", host, AgentHost)
        if not callable(getattr(agent, "run", None)):
            raise ConfigurationError(f"the recipe of agent {context.agent_name!r} gave {type(agent).__name__}")
        engine = IsolatedExecutionEngine(
            context,
            agent=agent,
            bridge=bridge,
            updates=updates,
            host=host,
            outside=Outside(
                table=parts.table,
                poster=parts.poster,
                invoker=parts.invoker,
                clock=parts.clock,
                meter=parts.meter,
                invocation=context.invocation_id,
            ),
            limits=parts.limits,
        )
        parts.meter.add(Metric.ENGINES_CREATED)
        parts.meter.add(Metric.ENGINE_CREATION_TIME, (parts.clock.monotonic() - started) * 1000)
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
