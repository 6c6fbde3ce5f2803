"""The recovery function: ends or resumes what a dead engine left, when it is told so and once a minute."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws import clients
from dayfly.aws.calls import Pool
from dayfly.aws.dynamodb.table import DynamoTable
from dayfly.aws.invoker import LambdaInvoker
from dayfly.aws.payloads import FailureNotice, RunPayload, ScheduledEvent, recovery_event
from dayfly.aws.poster import ApiGatewayPoster
from dayfly.aws.settings import RecoverySettings
from dayfly.aws.telemetry.invocation import Telemetry
from dayfly.clock import SystemClock
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.notice import Notice, handle_notice
from dayfly.recovery.sweep import sweep
from dayfly.runs.ports import Ports
from dayfly.runs.writer import RunWriter


class RecoveryFunction:
    """Composition root of the recovery function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = RecoverySettings.read(environ)
        self._telemetry = Telemetry(settings)
        self._pool = Pool()
        # Posts have threads of their own: a slow socket must not hold back the log, the lease or a cancel.
        self._posts = Pool()
        meter, clock = self._telemetry.meter, SystemClock()
        self._ports = Ports(
            table=DynamoTable(clients.dynamodb_client(), settings.table_name, self._pool),
            poster=ApiGatewayPoster(clients.management_client(), self._posts, clock=clock, meter=meter),
            invoker=LambdaInvoker(
                clients.lambda_client(),
                self._pool,
                function=settings.engine_function,
                isolation=settings.isolation,
            ),
            clock=clock,
            meter=meter,
        )

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Takes the failure record of an engine invocation, or the schedule's event. Raises `UnreadablePayload`."""
        read = recovery_event(event)
        with self._telemetry.invocation(context), self._pool, self._posts:
            asyncio.run(
                self._recover(read, RecoveryActions(RunWriter(ports=self._ports, invocation_id=context.aws_request_id)))
            )

    async def _recover(self, event: FailureNotice | ScheduledEvent, recovery_actions: RecoveryActions) -> None:
        if isinstance(event, ScheduledEvent):
            await sweep(recovery_actions)
            return
        payload = event.request_payload
        if not isinstance(payload, RunPayload):
            return  # a warm-up that failed leaves nothing behind
        self._telemetry.logs.bind(user=payload.user, thread=payload.thread_id, run=payload.run_id)
        notice = Notice(
            ref=payload.ref,
            first_seq=payload.first_seq,
            invocation_id=event.request_context.request_id,
            expired=event.never_ran,
            timed_out=event.timed_out,
        )
        await handle_notice(recovery_actions, notice)
