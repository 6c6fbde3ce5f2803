"""The life of an environment: its states, which follows which, and how its beginning may fail."""

import enum
from dataclasses import dataclass

from emulator.functions.call import Outcome, exited, timed_out


class State(enum.Enum):
    """Where an environment stands."""

    STARTING = "starting"
    """Its process starts, or is in its init phase."""
    IDLE = "idle"
    """It waits for a call."""
    FROZEN = "frozen"
    """It waits, and every thread of it stands still."""
    RESERVED = "reserved"
    """A call has it and has not begun."""
    BUSY = "busy"
    """A call runs, or has been answered and the runtime has not asked for the next one."""
    ENDING = "ending"
    """It is being killed in the midst of its init or of a call, to which its exit status has to be told."""
    DEAD = "dead"
    """It serves no call any more. Its process may have yet to be collected."""


_FOLLOWING = {
    State.STARTING: {State.IDLE, State.ENDING, State.DEAD},
    State.IDLE: {State.FROZEN, State.RESERVED, State.DEAD},
    State.FROZEN: {State.RESERVED, State.DEAD},
    State.RESERVED: {State.BUSY, State.IDLE, State.DEAD},
    State.BUSY: {State.IDLE, State.ENDING, State.DEAD},
    State.ENDING: {State.DEAD},
    State.DEAD: frozenset[State](),
}


class IllegalTransition(RuntimeError):
    """A step that the environment's state does not allow."""


def check_step(before: State, after: State) -> None:
    """Raises `IllegalTransition` unless `after` may follow `before`."""
    if after not in _FOLLOWING[before]:
        raise IllegalTransition(f"an environment that is {before.value} can't become {after.value}")


@dataclass(frozen=True)
class Exited:
    """The process ended, with a status as of `subprocess`: negative for a signal."""

    status: int


@dataclass(frozen=True)
class TimedOut:
    """It was given so many seconds and took longer."""

    after_s: float


class InitFailed(Exception):
    """The init phase ended before the runtime asked for work: by its own report, its exit, or the bound of time.

    `duration_s` is how long it took.
    """

    def __init__(self, reason: Outcome | Exited | TimedOut, *, duration_s: float = 0.0) -> None:
        super().__init__(f"init failed: {reason}")
        self.reason = reason
        self.duration_s = duration_s

    def outcome(self, request_id: str) -> Outcome:
        """What the invocation that needed the environment is answered with."""
        match self.reason:
            case Outcome():
                return self.reason
            case Exited():
                return exited(request_id, self.reason.status)
            case TimedOut():
                return timed_out(request_id, self.reason.after_s)
