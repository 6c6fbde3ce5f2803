"""How one invocation of one environment ended, in the words Lambda uses for it."""

from __future__ import annotations

import json
from dataclasses import dataclass


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


# The words of Go's syscall package, which Lambda's supervisor is written in.
_SIGNALS = {
    6: "aborted",
    9: "killed",
    11: "segmentation fault",
    15: "terminated",
}
