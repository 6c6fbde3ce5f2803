"""Where the record of an asynchronous invocation goes: a function, a queue or a topic.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from emulator.contract import FunctionSpec, Invocation, LambdaRefusal, SendFailed

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]

# Of an error's message a dead-letter queue gets the first 1 KB.
_MESSAGE_CHARACTERS = 1024


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """An event that is over: it succeeded or was given up. `last` is the function's last answer, if it ever ran."""

    request_id: str
    function_arn: str
    condition: Condition
    invoke_count: int
    payload: bytes
    last: Invocation | None

    def document(self) -> bytes:
        """The JSON document.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
        """
        document: dict[str, object] = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": f"{self.function_arn}:$LATEST",
                "condition": self.condition,
                "approximateInvokeCount": self.invoke_count,
            },
            "requestPayload": json.loads(self.payload or b"{}"),
        }
        if self.last is not None:
            context: dict[str, object] = {"statusCode": 200, "executedVersion": "$LATEST"}
            if self.last.function_error is not None:
                context["functionError"] = self.last.function_error
            document["responseContext"] = context
            document["responsePayload"] = json.loads(self.last.payload)
        return json.dumps(document).encode()

    def attributes(self) -> dict[str, str | int]:
        """What a dead-letter queue is told besides the event itself.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
        """
        if self.last is None:
            # It never ran: throttled all the time, or switched off.
            return {"RequestID": self.request_id, "ErrorCode": 429, "ErrorMessage": "Rate Exceeded."}
        error = json.loads(self.last.payload)
        message = str(error.get("errorMessage", ""))[:_MESSAGE_CHARACTERS]
        return {"RequestID": self.request_id, "ErrorCode": 200, "ErrorMessage": message or "Unhandled"}


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
