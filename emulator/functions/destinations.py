"""Where the record of an asynchronous invocation goes: a function, a queue or a topic.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from emulator.contract import FunctionSpec, LambdaRefusal, SendFailed
from emulator.functions.records import EventRecord

Invoke = Callable[[str, bytes], object]
"""Queues an event for a function."""


class Send(Protocol):
    """Sends a message to the queue or topic with an ARN."""

    async def __call__(self, arn: str, body: bytes, attributes: Mapping[str, str | int]) -> None:
        """Attributes that are numbers go as such. Raises `SendFailed` if the target is not there."""
        ...


Lost = Callable[[FunctionSpec, EventRecord, str], None]
"""Told why a record was not delivered: AWS counts it in DestinationDeliveryFailures and drops it."""


class Destinations:
    """Hands each record to its function's destination for successes or for failures, if there is one."""

    def __init__(self, *, invoke: Invoke, send: Send | None, lost: Lost) -> None:
        self._invoke = invoke
        self._send = send
        self._lost = lost

    async def hand_over(self, spec: FunctionSpec, record: EventRecord) -> None:
        """Deliver the record of one event; if it was given up, the event itself to the dead-letter queue as well."""
        succeeded = record.condition == "Success"
        target = spec.on_success if succeeded else spec.on_failure
        if target is not None:
            await self._deliver(spec, record, target, record.document(), {})
        if spec.dead_letter is not None and not succeeded:
            await self._deliver(spec, record, spec.dead_letter, record.payload or b"{}", record.attributes())

    async def _deliver(
        self, spec: FunctionSpec, record: EventRecord, target: str, body: bytes, attributes: Mapping[str, str | int]
    ) -> None:
        try:
            if not target.startswith("arn:") or ":function:" in target:
                self._invoke(target, body)
            elif self._send is not None:
                await self._send(target, body, attributes)
            else:
                self._lost(spec, record, f"there is no {target} here")
        except (LambdaRefusal, SendFailed) as error:
            self._lost(spec, record, str(error))
