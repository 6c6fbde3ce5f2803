"""Every figure of Lambda that a test or a laptop may want otherwise."""

import os
import sys
from dataclasses import dataclass, field

from emulator.limits import ChangeableLimits

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB for a synchronous request and response,
# 1 MB for an asynchronous request. Lambda's own messages name 6291456 and add 100 bytes of room for a response.
SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024
EVENT_PAYLOAD_BYTES = 1024 * 1024
RESPONSE_PAYLOAD_BYTES = SYNC_PAYLOAD_BYTES + 100


@dataclass(frozen=True)
class LambdaLimits(ChangeableLimits):
    """The figures of Lambda that can be changed while it runs, times in seconds. The defaults are AWS's, from
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, but for the first.
    """

    # Bound of the first init phase. AWS's is 10 s of a machine of its own
    # (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html); a laptop that starts twenty
    # engines at once needs longer.
    init_time: float = 60.0
    # The waits before the second and the third attempt of an event whose function failed.
    first_retry_wait: float = 60.0
    second_retry_wait: float = 120.0
    # First wait of a throttled event, doubled each time up to the longest.
    throttle_wait: float = 1.0
    throttle_wait_max: float = 300.0
    # The oldest that any event can get, whatever its function allows.
    event_age: float = 21600.0
    # Environments busy at once over all functions: the account's limit.
    concurrency: int = 1000
    # The same for each function alone, whatever its own reserved concurrency.
    function_concurrency: int = 1000

    def retry_wait(self, attempt: int) -> float:
        """How long to wait after the failed `attempt`, counted from 1."""
        return self.first_retry_wait if attempt == 1 else self.second_retry_wait


@dataclass(frozen=True, kw_only=True)
class LambdaOptions:
    """How the emulated Lambda behaves. Times are in seconds; the defaults are AWS's own where AWS names one."""

    region: str = REGION
    account_id: str = ACCOUNT_ID
    python: str = sys.executable
    """The interpreter that runs the functions; `awslambdaric` must be installed there."""

    limits: LambdaLimits = field(default_factory=LambdaLimits)
    """What holds from the start; it can be changed while Lambda runs."""

    max_environments: int = 64
    """Environments kept alive, busy or not: beyond it the least recently used idle one ends."""

    idle_s: float = 300.0
    """An environment unused for so long ends."""

    inits: int = max(2, os.cpu_count() or 1)
    """Init phases under way at once; the others wait, in order, so that the first of a burst are ready soon."""

    freeze: bool = True
    """Stop (SIGSTOP) an environment between two invocations, as Lambda freezes it."""

    memory_limit: bool = True
    """Kill an environment whose process has used more than its memory size (Linux: elsewhere no one says how much)."""

    schedule_every_s: float | None = None
    """Replaces the interval of every schedule."""

    trace_sampled: bool = False
    """Sampled flag of the X-Ray header. Off: the X-Ray SDK runs but sends nothing, as no daemon listens here."""

    def arn(self, function: str) -> str:
        """The unqualified ARN of a function."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{function}"
