"""Where faults are put into DynamoDB: its front asks here for each request."""

from __future__ import annotations

from typing import Literal, Protocol

RequestFault = Literal["throttled", "answer_lost"]


class Faults(Protocol):
    """What shall go wrong next."""

    def on_request(self, operation: str) -> RequestFault | None:
        """Refuse a request such as `PutItem` before anything is done, or do it and drop the answer."""
        ...


class NoFaults:
    """Nothing goes wrong."""

    def on_request(self, operation: str) -> RequestFault | None:
        """No fault."""
        return None
