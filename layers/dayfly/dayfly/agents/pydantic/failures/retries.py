"""Whether a request to the model that has failed is made again, and when."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dayfly.agents.provider_errors import ProviderError
from dayfly.agents.pydantic.failures.retry_after import asked_to_wait_s
from dayfly.agents.sdk.protocol import Retrying, Turn
from dayfly.errors import ModelFailed
from dayfly.protocol.events import RetryReason

LEAST_TIME_S: Final = 5.0
"""Seconds that must be left of the attempt when a request is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and after which wait, a request is made again. Seconds.

    Attributes:
        tries: Of one request, the first included.
        base_s: The longest wait before the first retry, doubled for each retry after it: "full jitter", so that those
            who were throttled together part.
        longest_s: The longest wait that is chosen here.
        most_asked_s: The longest wait that a provider may ask for: the request is not made again where it asks for
            more.
        between: Draws a number between two, evenly.

    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    tries: int = 4
    base_s: float = 1.0
    longest_s: float = 20.0
    most_asked_s: float = 60.0
    between: Callable[[float, float], float] = field(default=random.uniform)

    def delay_s(self, retry: int, asked_s: float | None) -> float:
        """The wait before this retry, which counts from 1. Where the provider asked for one, as long at least, and
        spread behind it."""
        spread = self.between(0, min(self.longest_s, self.base_s * 2 ** (retry - 1)))
        return spread if asked_s is None else max(spread, asked_s + self.between(0, self.base_s))


class RequestFailed(Exception):
    """A request to the model failed.

    Attributes:
        failure: What the run ends with, unless the request is made again.
        reason: Why it is made again, `None` where that does not help.
        told: What the provider said, if it said something.
    """

    def __init__(self, failure: ModelFailed, reason: RetryReason | None, told: ProviderError | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.reason = reason
        self.told = told


class Retries:
    """Counts the tries of each of an attempt's requests."""

    def __init__(self, turn: Turn, policy: RetryPolicy) -> None:
        self.shrink = 0
        """How often the conversation was made smaller in this attempt: once at most, and for all requests after it."""
        self.of_request = 0
        """How often the present request was made again."""
        self._turn = turn
        self._policy = policy
        self._at = 0

    def next(self, failed: RequestFailed, *, completed: int) -> Retrying | None:
        """The retry that follows a failure, or `None` where the run has to end with it.

        Args:
            failed: What went wrong.
            completed: How many responses and results the attempt has so far. A request that fails behind others is a
                new one. Where there are some, a wait that does not fit into the attempt's time is left to its engine,
                which hands the run over; else no other engine would have more time for it.
        """
        if completed != self._at:
            self._at, self.of_request = completed, 0
        if failed.reason is None or self.of_request + 1 >= self._policy.tries:
            return None
        delay_s = 0.0
        if failed.reason == "too_long":
            if self.shrink:
                return None
            self.shrink += 1
        else:
            asked_s = self._asked_s(failed)
            if asked_s is not None and asked_s > self._policy.most_asked_s:
                return None
            delay_s = self._policy.delay_s(self.of_request + 1, asked_s)
        left_s = self._turn.context.deadline - self._turn.clock.monotonic()
        if not completed and delay_s + LEAST_TIME_S > left_s:
            return None
        self.of_request += 1
        return Retrying(failed.reason, self.of_request, delay_s)

    def last_words(self, failed: RequestFailed) -> ModelFailed:
        """What the run ends with: the failure, with the wait that its provider asks for if that is long."""
        asked_s = self._asked_s(failed)
        failure = failed.failure
        if asked_s is not None and asked_s > self._policy.most_asked_s and failure.retryable:
            failure = ModelFailed(f"{failure} Its provider asks to try again in {_spoken(asked_s)}.")
        failure.retries = self.of_request
        return failure

    def _asked_s(self, failed: RequestFailed) -> float | None:
        if failed.told is None or failed.reason is None:
            return None
        return asked_to_wait_s(failed.told, now_ms=self._turn.clock.now_ms())


def _spoken(seconds: float) -> str:
    """`90` as `2 minutes`: rounded up, so that whoever comes back then is not too early."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds > length:
            count = -int(-min(seconds, 1e9) // length)
            return f"{count} {unit}s"
    return f"{-int(-seconds // 1)} seconds"
