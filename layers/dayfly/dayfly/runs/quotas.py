"""Limits on a user's runs, at once and per minute, and the row that counts them. Pure."""

from dataclasses import replace
from typing import Final

from dayfly.errors import QuotaExceeded
from dayfly.store.rows import QuotaRow, RunRow

ACTIVE_RUNS: Final = 40
"""Runs of one user that may be under way or queued at once: more than one thread's queue holds."""
WINDOW_MS: Final = 60_000
"""A window opens with the first run that a user starts after the one before is over."""
WINDOW_RUNS: Final = 60
"""Runs that one user may start within a window."""


def taken(quota: QuotaRow | None, run: RunRow, *, now: int) -> QuotaRow:
    """The user's quota with the run counted.

    Args:
        quota: As it was read; `None` for a user's first run.
        now: Milliseconds since the epoch.

    Raises:
        QuotaExceeded: The user has `ACTIVE_RUNS` runs, or has started `WINDOW_RUNS` within the window.
    """
    quota = quota or QuotaRow(user_id=run.user_id, version=0)
    if len(quota.active) >= ACTIVE_RUNS:
        raise QuotaExceeded(f"You have {ACTIVE_RUNS} runs under way, which is the most at once.")
    fresh = now - quota.window_start >= WINDOW_MS
    count = 0 if fresh else quota.window_count
    if count >= WINDOW_RUNS:
        raise QuotaExceeded(f"You have started {WINDOW_RUNS} runs within a minute, which is the most.")
    return replace(
        quota,
        version=quota.version + 1,
        active=(*quota.active, run.run_id),
        window_start=now if fresh else quota.window_start,
        window_count=count + 1,
    )


def given_back(quota: QuotaRow, run_id: str) -> QuotaRow:
    """The user's quota without the run that has ended."""
    active = tuple(active for active in quota.active if active != run_id)
    return replace(quota, version=quota.version + 1, active=active)
