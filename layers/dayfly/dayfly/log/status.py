"""Where a run stands, as its log and its thread tell."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a run ended: which of the three terminal events its log closes with."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    """Where a run stands. Derived, never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def status_of(*, outcome: Outcome | None, queued: bool, waits: bool = False) -> RunStatus:
    """The status of a run from its last log record (its outcome, or whether it asks for approval) and from its place in
    the thread's queue."""
    if outcome is not None:
        return RunStatus(outcome.value)
    if waits:
        return RunStatus.WAITING
    return RunStatus.QUEUED if queued else RunStatus.RUNNING
