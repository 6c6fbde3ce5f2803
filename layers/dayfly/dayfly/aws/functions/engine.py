"""The engine function: one invocation, one attempt of one run, one engine made for it."""

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.agents.catalogue import Catalogue, discover
from dayfly.agents.dry_run import warm_up
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.agents.secrets import RunSecrets
from dayfly.aws.functions.wiring import Wiring
from dayfly.aws.invocation_payloads import RunPayload, WarmUpPayload, engine_payload
from dayfly.aws.models import models_for
from dayfly.aws.secrets import secret_store
from dayfly.aws.settings import EngineSettings
from dayfly.aws.telemetry.tracing import Tracing
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.agent_host import threads_left
from dayfly.engine.attempt import refuse
from dayfly.engine.engine import RunReport
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import AgentFailed, ConfigurationError, DayflyError, RunFailed
from dayfly.log.secret_values import SecretValues
from dayfly.runs.writer import RunWriter

RESERVE_S: Final = 10.0
"""What is kept of an invocation's time for ending the run and posting that end."""

STUCK_EXIT: Final = 70
"""The exit status of a process that was ended because a thread could not be stopped."""

_log = logging.getLogger("dayfly.aws.functions.engine")


class EngineFunction:
    """Composition root of the engine function; built once per process, in Lambda's init phase."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = EngineSettings.read(environ)
        self._wiring = Wiring(settings, engine=settings.aws_lambda_function_name)
        self._tracing = Tracing(environ, service=settings.powertools_service_name)
        try:
            agents = installed_agents(importlib.import_module(settings.agents_package), settings)
        except ConfigurationError as error:
            raise ConfigurationError(
                str(error)
            ) from None  # whoever reads the log wants the one line, not the way to it
        store, values = secret_store(settings), SecretValues()
        self._wiring.telemetry.logs.redact_with(values)
        self._factory = ExecutionEngineFactory()
        self._factory.configure(
            ports=self._wiring.ports,
            agents=agents,
            secrets=lambda: RunSecrets(store, values),
            limits=RunLimits(run_ms=settings.run_seconds * 1000, approval_ms=settings.approval_seconds * 1000),
            show_reasoning=settings.show_reasoning,
        )
        # What the agents' library loads on first use is loaded now, in the init phase, and not in a user's first run.
        warm_up()

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
        """Runs the attempt. The returned outcome is for the log alone: nobody waits for it."""
        payload = engine_payload(event)
        if isinstance(payload, WarmUpPayload):
            with self._wiring.invocation(context):
                return {"outcome": "warm"}
        ids = {"user": payload.user, "thread": payload.thread_id, "run": payload.run_id}
        with (
            ends_if_stuck(),
            self._wiring.invocation(context, **ids, request=payload.request_id),
            self._tracing.step("run", run=payload.run_id, thread=payload.thread_id),
        ):
            report = self._run(payload, context)
        return {"outcome": report.outcome or "superseded"}

    def _run(self, payload: RunPayload, context: LambdaContext) -> RunReport:
        started = self._wiring.clock.monotonic()
        report = asyncio.run(self._attempt(self._context(payload, context)))
        duration_ms = round((self._wiring.clock.monotonic() - started) * 1000)
        told = {"outcome": report.outcome, "stuck": report.stuck, "duration_ms": duration_ms}
        _log.info("attempt over", extra=told)
        return report

    async def _attempt(self, context: UserExecutionContext) -> RunReport:
        try:
            engine = self._factory.create(context)
        except DayflyError as error:
            told = {"code": error.code, "reason": str(error)}
            _log.error("no engine could be made", extra=told, exc_info=error.__cause__)
            reason = error if isinstance(error, RunFailed) else AgentFailed("The agent could not be made.")
            run_writer = RunWriter(ports=self._wiring.ports, invocation_id=context.invocation_id)
            return RunReport(await refuse(run_writer, context, reason))
        async with engine:
            return await engine.run()

    def _context(self, payload: RunPayload, context: LambdaContext) -> UserExecutionContext:
        remaining = context.get_remaining_time_in_millis() / 1000
        return UserExecutionContext(
            ref=payload.ref,
            request_id=payload.request_id,
            invocation_id=context.aws_request_id,
            agent_name=payload.agent,
            attempt=payload.attempt,
            first_seq=payload.first_seq,
            deadline=self._wiring.clock.monotonic() + remaining - min(RESERVE_S, remaining / 4),
        )


def installed_agents(package: ModuleType, settings: EngineSettings) -> Catalogue:
    """The agents of the package, with access to their models.

    Raises:
        ConfigurationError: The deployment's model cannot be used, or its settings are wrong. The message is one line.
    """
    definitions = discover(package)
    named = (one.model for one in definitions.values() if isinstance(one, AgentDefinition))
    models = models_for({model or settings.model for model in named}, settings)
    return Catalogue(definitions, models=models, model=settings.model)


@contextmanager
def ends_if_stuck() -> Iterator[None]:
    """Ends the process behind the block, whether that returned or raised, if an agent's or a tool's thread still runs:
    it would go on when the next invocation thaws this process, in another user's time.

    Lambda counts the invocation as failed then, as if the block had raised.
    """
    try:
        yield
    finally:
        if left := threads_left():
            _log.error("process ended: threads still run", extra={"threads": left}, exc_info=sys.exc_info()[1])
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STUCK_EXIT)
