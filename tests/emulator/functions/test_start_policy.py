from __future__ import annotations

from emulator.functions.start_policy import StartPolicy


def known(*, call_s: float | None = None, init_s: float | None = None) -> StartPolicy:
    policy = StartPolicy()
    if call_s is not None:
        policy.called(call_s)
    if init_s is not None:
        policy.initialised(init_s)
    return policy


def test_nothing_is_waited_for_before_anything_is_known() -> None:
    """A function that never started has no environment to wait for."""
    assert known().patience(ahead=0, busy=0, cores=2) == 0


def test_short_calls_are_waited_for_as_long_as_a_start_takes() -> None:
    """With 4 ms a call, 48 ahead and two environments, some 100 ms are less than a start of 300 ms."""
    assert known(call_s=0.004, init_s=0.3).patience(ahead=48, busy=2, cores=2) == 0.3


def test_long_calls_are_not_waited_for() -> None:
    """A call that finds all environments in calls of a second starts another at once."""
    assert known(call_s=1.0, init_s=0.3).patience(ahead=0, busy=2, cores=2) == 0


def test_a_long_queue_is_not_waited_for() -> None:
    """What takes a moment each takes long with enough ahead."""
    assert known(call_s=0.01, init_s=0.3).patience(ahead=100, busy=2, cores=2) == 0


def test_unknown_calls_are_waited_for_a_moment() -> None:
    """Before the first call has ended, a quarter of a start is given to see."""
    assert known(init_s=0.4).patience(ahead=10, busy=2, cores=2) == 0.1


def test_nobody_waits_for_an_environment_that_is_not_there() -> None:
    """Without a busy environment of the same kind nothing will become free."""
    assert known(call_s=0.001, init_s=1.0).patience(ahead=0, busy=0, cores=1) == 0


def test_every_core_gets_an_environment() -> None:
    """Short calls or not: while fewer environments are busy than there are cores, another one helps."""
    assert known(call_s=0.001, init_s=1.0).patience(ahead=0, busy=1, cores=2) == 0


def test_the_average_follows() -> None:
    """A change of behaviour is noticed after some calls."""
    policy = known(call_s=0.001, init_s=0.3)
    for _ in range(20):
        policy.called(2.0)
    assert policy.patience(ahead=0, busy=2, cores=2) == 0
