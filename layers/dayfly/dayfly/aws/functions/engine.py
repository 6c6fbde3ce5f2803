"""The engine function: one invocation, one attempt of one run, one engine made for it."""

import asyncio
import importlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.agents.catalogue import Catalogue, discover
from dayfly.agents.dry_run import warm_up
from dayfly.agents.models.factory import Models, needs_bedrock
from dayfly.agents.sdk.definition import AgentDefinition
from dayfly.aws import clients
from dayfly.aws.calls import Pool, client_config
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.invoker import LambdaInvoker
from dayfly.aws.model_keys import model_key
from dayfly.aws.payloads import RunPayload, WarmUpPayload, engine_payload
from dayfly.aws.poster import ApiGatewayPoster
from dayfly.aws.process import ends_if_stuck
from dayfly.aws.settings import EngineSettings
from dayfly.aws.telemetry.invocation import Telemetry
from dayfly.aws.telemetry.tracing import Tracing
from dayfly.clock import SystemClock
from dayfly.context.execution import UserExecutionContext
from dayfly.engine.attempt import refuse
from dayfly.engine.engine import RunReport
from dayfly.engine.factory import ExecutionEngineFactory
from dayfly.engine.time_budget import RunLimits
from dayfly.errors import AgentFailed, DayflyError, RunFailed
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

RESERVE_S: Final = 10.0
"""What is kept of an invocation's time for ending the run and posting that end."""
_MODEL_SILENCE_S: Final = 120.0
"""How long a model may be silent before its connection counts as lost."""

_log = logging.getLogger("dayfly.aws.functions.engine")


class EngineFunction:
    """Composition root of the engine function; built once per process, in Lambda's init phase."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = EngineSettings.read(environ)
        self._telemetry = Telemetry(settings)
        self._tracing = Tracing(environ, service=settings.powertools_service_name)
        self._pool = Pool()
        # Posts have threads of their own: a slow socket must not hold back the log, the lease or a cancel.
        self._posts = Pool()
        self._clock, meter = SystemClock(), self._telemetry.meter
        definitions = discover(importlib.import_module(settings.agents_package))
        named = (one.model for one in definitions.values() if isinstance(one, AgentDefinition))
        wanted = {model or settings.model for model in named}
        models = Models(
            bedrock=_bedrock() if any(map(needs_bedrock, wanted)) else None,
            api_key=model_key(settings),
            base_url=settings.model_base_url or None,
        )
        table = DynamoTable(clients.dynamodb_client(), settings.table_name, self._pool)
        poster = ApiGatewayPoster(clients.management_client(), self._posts, clock=self._clock, meter=meter)
        invoker = LambdaInvoker(
            clients.lambda_client(),
            self._pool,
            function=settings.aws_lambda_function_name,
            isolation=settings.isolation,
        )
        self._ports = Ports(table=table, poster=poster, invoker=invoker, clock=self._clock, meter=meter)
        self._factory = ExecutionEngineFactory()
        self._factory.configure(
            ports=self._ports,
            agents=Catalogue(definitions, models=models, model=settings.model),
            limits=RunLimits(run_ms=settings.run_seconds * 1000, approval_ms=settings.approval_seconds * 1000),
        )
        # What the agents' library loads on first use is loaded now, in the init phase, and not in a user's first run.
        warm_up()

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
        """Runs the attempt. The returned outcome is for the log alone: nobody waits for it."""
        payload = engine_payload(event)
        if isinstance(payload, WarmUpPayload):
            with self._telemetry.invocation(context):
                return {"outcome": "warm"}
        ids = {"user": payload.user, "thread": payload.thread_id, "run": payload.run_id}
        with (
            ends_if_stuck(),
            self._telemetry.invocation(context, **ids, request=payload.request_id),
            self._pool,
            self._posts,
            self._tracing.step("run", run=payload.run_id, thread=payload.thread_id),
        ):
            report = self._run(payload, context)
        return {"outcome": report.outcome or "superseded"}

    def _run(self, payload: RunPayload, context: LambdaContext) -> RunReport:
        started = self._clock.monotonic()
        report = asyncio.run(self._attempt(self._context(payload, context)))
        duration_ms = round((self._clock.monotonic() - started) * 1000)
        told = {"outcome": report.outcome, "stuck": report.stuck, "duration_ms": duration_ms}
        _log.info("attempt over", extra=told)
        return report

    async def _attempt(self, context: UserExecutionContext) -> RunReport:
        try:
            engine = self._factory.create(context)
        except DayflyError as error:
            _log.error("no engine could be made", extra={"code": error.code, "reason": str(error)}, exc_info=error)
            reason = error if isinstance(error, RunFailed) else AgentFailed("The agent could not be made.")
            run_writer = RunWriter(ports=self._ports, invocation_id=context.invocation_id)
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
            deadline=self._clock.monotonic() + remaining - min(RESERVE_S, remaining / 4),
        )


def _bedrock() -> "BedrockRuntimeClient":
    """Process-lived; signs with the function's own credentials. A model may be silent for long, so it waits longer."""
    return boto3.client("bedrock-runtime", config=client_config(read_timeout=_MODEL_SILENCE_S))
