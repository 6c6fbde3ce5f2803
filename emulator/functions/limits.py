"""The figures of Lambda that can be changed while it runs; each can be shortened for a test."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from emulator.figure import checked


@dataclass(frozen=True)
class LambdaLimits:
    """Times in seconds. The defaults are AWS's, from
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

    def shortened(self, name: str, value: float) -> LambdaLimits:
        """A copy with one limit changed. Raises `ValueError` for an unknown name or a value that can't be."""
        known = {field.name: field.type for field in fields(self)}
        if name not in known:
            raise ValueError(f"no limit is called {name!r}; there are {', '.join(known)}")
        changed: dict[str, Any] = {name: checked(name, value, whole=known[name] == "int")}
        return replace(self, **changed)
