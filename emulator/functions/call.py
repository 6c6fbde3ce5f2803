"""One invocation on its way through an environment, and how it ended, in the words that Lambda uses for it."""

import asyncio
import json
import os
import secrets
import time
from dataclasses import dataclass, field

from emulator.functions.log import Tail

# The words of Go's syscall package, which Lambda's supervisor is written in.
_SIGNALS = {
    6: "aborted",
    9: "killed",
    11: "segmentation fault",
    15: "terminated",
}


@dataclass(frozen=True)
class Outcome:
    """The body that Invoke answers with; `failed` stands for the header `X-Amz-Function-Error: Unhandled`.

    `error_type` is set for errors of Lambda itself, which REPORT names.
    """

    payload: bytes
    failed: bool
    error_type: str | None = None


def failure(error_type: str, message: str) -> Outcome:
    """An error that Lambda itself reports for a function."""
    body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    return Outcome(body, failed=True, error_type=error_type)


def timed_out(request_id: str, timeout_s: float) -> Outcome:
    """The function ran into its time-out.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds")


def exited(request_id: str, returncode: int) -> Outcome:
    """The process ended before it answered; `returncode` as of `subprocess`, negative for a signal."""
    return failure("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(returncode)}")


def out_of_memory(request_id: str) -> Outcome:
    """The process used more than its memory size: Lambda's kernel killed it, and says which way of being killed."""
    return failure("Runtime.OutOfMemory", f"RequestId: {request_id} Error: {exit_reason(-9)}")


def exit_reason(returncode: int) -> str:
    """Lambda's sentence for an exit status."""
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode < 0:
        return f"Runtime exited with error: signal: {_SIGNALS.get(-returncode, -returncode)}"
    return f"Runtime exited with error: exit status {returncode}"


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
