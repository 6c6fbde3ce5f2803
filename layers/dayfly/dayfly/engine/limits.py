"""What a deployment sets for its runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """Milliseconds: how long a run may take over all of its engines, and how long it waits for its user's approval."""

    run_ms: int = 3600 * 1000
    approval_ms: int = 3600 * 1000
