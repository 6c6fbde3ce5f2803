"""What is measured: a closed list. An adapter turns it into CloudWatch metrics."""

from enum import StrEnum
from typing import Protocol

from dayfly.errors import ErrorCode


class Metric(StrEnum):
    """Every metric of this backend's own, by its CloudWatch name."""

    ENGINES_CREATED = "EnginesCreated"
    ENGINES_CLEANED = "EnginesCleaned"
    ENGINE_CREATION_TIME = "EngineCreationTime"
    RUNS_ADMITTED = "RunsAdmitted"
    RUNS_COMPLETED = "RunsCompleted"
    RUNS_FAILED = "RunsFailed"
    RUNS_CANCELLED = "RunsCancelled"
    RUNS_RESUMED = "RunsResumed"
    """Recovery had another engine go on for a lost one."""
    RUNS_HANDED_OVER = "RunsHandedOver"
    """An engine near the end of its time had another one go on."""
    APPROVALS_REQUESTED = "ApprovalsRequested"
    """One for each tool call that waits for its user."""
    TIME_TO_FIRST_EVENT = "TimeToFirstEvent"
    POST_LATENCY = "PostLatency"
    GONE_CONNECTIONS = "GoneConnections"
    ACTIVE_RUNS = "ActiveRuns"


TIMES = frozenset({Metric.ENGINE_CREATION_TIME, Metric.TIME_TO_FIRST_EVENT, Metric.POST_LATENCY})
"""These are milliseconds; the others are counts."""


class Meter(Protocol):
    """Takes measurements. Never raises, never waits."""

    def add(self, metric: Metric, value: float = 1, *, code: ErrorCode | None = None) -> None:
        """Adds a count, or a time in milliseconds. `code` is for `RUNS_FAILED` alone."""
