"""The recovery function: ends or resumes what a dead engine left, when it is told so and once a minute."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from dayfly.aws.functions.wiring import Wiring
from dayfly.aws.invocation_payloads import FailureNotice, RunPayload, ScheduledEvent, recovery_event
from dayfly.aws.settings import RecoverySettings
from dayfly.recovery.actions import RecoveryActions
from dayfly.recovery.notice import Notice, handle_notice
from dayfly.recovery.sweep import sweep
from dayfly.runs.writer import RunWriter


class RecoveryFunction:
    """Composition root of the recovery function; built once per process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = RecoverySettings.read(environ)
        self._wiring = Wiring(settings, engine=settings.engine_function)
        self._ports = self._wiring.ports

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> None:
        """Takes the failure record of an engine invocation, or the schedule's event. Raises `UnreadablePayload`."""
        read = recovery_event(event)
        run_writer = RunWriter(ports=self._ports, invocation_id=context.aws_request_id)
        with self._wiring.invocation(context):
            asyncio.run(self._recover(read, RecoveryActions(run_writer)))

    async def _recover(self, event: FailureNotice | ScheduledEvent, recovery_actions: RecoveryActions) -> None:
        if isinstance(event, ScheduledEvent):
            await sweep(recovery_actions)
            return
        payload = event.request_payload
        if not isinstance(payload, RunPayload):
            return  # a warm-up that failed leaves nothing behind
        self._wiring.telemetry.logs.bind(user=payload.user, thread=payload.thread_id, run=payload.run_id)
        notice = Notice(
            ref=payload.ref,
            first_seq=payload.first_seq,
            invocation_id=event.request_context.request_id,
            expired=event.never_ran,
            timed_out=event.timed_out,
        )
        await handle_notice(recovery_actions, notice)
