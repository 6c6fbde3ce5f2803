"""Whether a call that finds no free environment waits for a busy one, or has another one started.

As on AWS, such a call has an environment started and takes whichever is there first. A laptop has few cores: twenty
environments that start at once are all late. So beyond one for each core none is started if those that are busy should
be free sooner, going by what the function has taken of late. A call that takes long holds others back for no longer
than a start lasts.
"""

_WEIGHT = 0.2


class StartPolicy:
    """What is known of one function: moving averages of its calls and inits in seconds, None until one has ended."""

    def __init__(self) -> None:
        self.call_s: float | None = None
        self.init_s: float | None = None

    def called(self, seconds: float) -> None:
        """A call has ended."""
        self.call_s = _moved(self.call_s, seconds)

    def initialised(self, seconds: float) -> None:
        """An init has ended well."""
        self.init_s = _moved(self.init_s, seconds)

    def patience(self, *, ahead: int, busy: int, cores: int) -> float:
        """For how many seconds a call should wait for a busy environment before another one is started.

        Zero while there are fewer busy ones than processor cores to run them, or if it expects to wait for longer than
        a start takes. Who waits as long as a start takes, and in vain, has lost no more than that. While no call has
        ended yet, a moment may show how long they take.

        Args:
            ahead: The calls that have waited for longer.
            busy: The environments that suit the call and are in the midst of another.
            cores: The processor cores.
        """
        if self.init_s is None or busy < cores:
            return 0.0
        if self.call_s is None:
            return self.init_s / 4
        return self.init_s if self.call_s * (ahead + 1) / busy < self.init_s else 0.0


def _moved(average: float | None, seconds: float) -> float:
    return seconds if average is None else average + _WEIGHT * (seconds - average)
