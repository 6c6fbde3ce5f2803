"""The record of an asynchronous invocation that a destination receives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from emulator.contract import Invocation

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
