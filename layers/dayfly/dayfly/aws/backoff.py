"""How long to wait before asking again."""

import random


def jittered(attempt: int, *, base: float, cap: float) -> float:
    """Seconds to wait before the next attempt: "full jitter", so that those who were throttled together part.

    `attempt` counts from 0. Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    return random.uniform(0, min(cap, base * 2**attempt))  # noqa: S311  # spreads load, guards nothing
