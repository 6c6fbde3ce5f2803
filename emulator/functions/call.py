"""One invocation on its way through an environment."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from dataclasses import dataclass, field

from emulator.functions.outcome import Outcome
from emulator.functions.tail import Tail


@dataclass(eq=False)
class Call:
    """What `next` hands to the runtime, and the future that its answer settles.

    `client_context` is JSON; `tail` keeps the end of the invocation's log, if the caller asked for it.
    """

    request_id: str
    function_arn: str
    payload: bytes
    timeout_s: float
    tenant_id: str | None
    trace_id: str
    client_context: str | None = None
    tail: Tail | None = None
    outcome: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    deadline_ms: int = 0

    def begin(self) -> None:
        """Start the clock of the time-out."""
        self.deadline_ms = int((time.time() + self.timeout_s) * 1000)

    def settle(self, outcome: Outcome) -> None:
        """Give the caller the answer; the first one counts."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def headers(self) -> dict[str, str]:
        """The headers of a `next` response.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next; the tenant's header is the one
        that `awslambdaric` reads into `context.tenant_id`.
        """
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }
        if self.tenant_id is not None:
            headers["Lambda-Runtime-Aws-Tenant-Id"] = self.tenant_id
        if self.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = self.client_context
        return headers


def new_trace_id(*, sampled: bool) -> str:
    """A tracing header value.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={os.urandom(8).hex()};Sampled={int(sampled)}"
