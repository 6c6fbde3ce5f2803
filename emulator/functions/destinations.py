"""Where the record of an asynchronous invocation goes: a function, a queue or a topic.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from botocore.exceptions import BotoCoreError, ClientError

from emulator.contract import FunctionSpec, LambdaRefusal
from emulator.functions.records import EventRecord

Invoke = Callable[[str, bytes], object]
"""Queues an event for a function."""

Send = Callable[[str, bytes], Awaitable[None]]
"""Sends a message to the queue or topic with an ARN."""

Lost = Callable[[FunctionSpec, EventRecord, str], None]
"""Told why a record was not delivered: AWS counts it in DestinationDeliveryFailures and drops it."""


class Destinations:
    """Hands each record to its function's destination for successes or for failures, if there is one."""

    def __init__(self, *, invoke: Invoke, send: Send | None, lost: Lost) -> None:
        self._invoke = invoke
        self._send = send
        self._lost = lost

    async def hand_over(self, spec: FunctionSpec, record: EventRecord) -> None:
        """Deliver the record of one event."""
        target = spec.on_success if record.condition == "Success" else spec.on_failure
        if target is None:
            return
        try:
            if not target.startswith("arn:") or ":function:" in target:
                self._invoke(target, record.document())
            elif self._send is not None:
                await self._send(target, record.document())
            else:
                self._lost(spec, record, f"there is no {target} here")
        except (LambdaRefusal, BotoCoreError, ClientError) as error:
            self._lost(spec, record, str(error))
