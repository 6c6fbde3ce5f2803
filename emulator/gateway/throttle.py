"""Throttling of a stage's routes: token buckets, a token a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
"""

import time
from collections.abc import Callable

from emulator.contract import Throttle, Throttling

# The account's own figures, for what a template leaves out:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_ACCOUNT_RATE = 10_000.0
_ACCOUNT_BURST = 5_000


class TokenBucket:
    """At most `burst` requests at once and `rate` a second in the long run."""

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = self._burst
        self._filled_at = clock()

    def take(self) -> bool:
        """Whether one more request may pass now; it counts if so."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttles:
    """A bucket for each route that a stage limits; the others pass. (The account's own quota is not kept.)"""

    def __init__(self, throttling: Throttling, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._throttling = throttling
        self._clock = clock
        self._buckets: dict[str, TokenBucket | None] = {}

    def take(self, route_key: str) -> bool:
        """Whether a request for this route may pass now."""
        if route_key not in self._buckets:
            self._buckets[route_key] = self._bucket(self._throttling.of(route_key))
        bucket = self._buckets[route_key]
        return bucket is None or bucket.take()

    def _bucket(self, throttle: Throttle) -> TokenBucket | None:
        if throttle.rate is None and throttle.burst is None:
            return None
        rate = _ACCOUNT_RATE if throttle.rate is None else throttle.rate
        burst = _ACCOUNT_BURST if throttle.burst is None else throttle.burst
        return TokenBucket(rate=rate, burst=burst, clock=self._clock)
