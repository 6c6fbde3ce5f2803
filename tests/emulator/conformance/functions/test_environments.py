"""Environments: warm and cold, frozen, limited, timed out, crashed."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, Step
from tests.emulator.conformance.functions.conftest import TimeOut


@fact("L1", sources.LIFECYCLE)
def test_module_state_is_kept(app: Application) -> None:
    """An environment that is free serves the next invocation: what stands outside the handler stays as it is."""
    first = app.run("state", ("calls", None)).value
    assert app.run("state", ("calls", None)).value == [first[0], first[1] + 1]


@fact("L2", sources.CONCURRENCY)
def test_one_invocation_each(app: Application) -> None:
    """Invocations that overlap run in environments of their own, each one at a time."""
    call = partial(app.run, "burst", ("sleep", 0.6), ("calls", None))
    environments = [answer.value[0] for answer in app.together([call] * 4)]
    assert len(set(environments)) == 4


@fact("L3", sources.LIFECYCLE)
def test_frozen_between_invocations(app: Application) -> None:
    """Between two invocations the environment is frozen: a thread left running makes no progress."""
    before = app.run("script", ("spawn", None), ("sleep", 0.2), ("ticks", None)).value
    time.sleep(0.6)
    assert 10 <= before <= app.run("script", ("ticks", None)).value < before + 30


@fact("L4", sources.LIFECYCLE)
def test_threads_go_on_in_the_next_invocation(app: Application) -> None:
    """What a function left running goes on when the environment is used again."""
    before = app.run("script", ("spawn", None), ("ticks", None)).value
    assert app.run("script", ("sleep", 0.3), ("ticks", None)).value >= before + 10


@fact("L5", sources.TROUBLE)
def test_a_time_out(time_out: TimeOut) -> None:
    """A function that runs longer than its time-out is stopped; the error says `Task timed out after 1.00 seconds`."""
    assert time_out.took_s < 6
    assert (time_out.answer.status, time_out.answer.error) == (200, "Unhandled")
    assert time_out.answer.value["errorMessage"].endswith("Task timed out after 1.00 seconds")


@fact("L6", sources.LIFECYCLE)
def test_cold_after_a_time_out(time_out: TimeOut) -> None:
    """After a time-out the environment is reset: the next invocation finds nothing of the module's state."""
    assert time_out.after[1] == 1
    assert time_out.after[0] != time_out.before[0]


@pytest.mark.parametrize("step", [("exit", 1), ("_exit", 1), ("kill", 9)])
@fact("L7", sources.LIFECYCLE)
def test_a_crash(app: Application, step: Step) -> None:
    """A runtime that ends during an invocation, by `sys.exit`, `os._exit` or a signal, is a `Runtime.ExitError`."""
    answer = app.run("state", step)
    assert (answer.status, answer.error, answer.value["errorType"]) == (200, "Unhandled", "Runtime.ExitError")


@fact("L8", sources.LIFECYCLE)
def test_cold_after_a_crash(app: Application) -> None:
    """After a crash the environment is reset: the next invocation starts a new runtime."""
    before = app.run("state", ("calls", None)).value
    assert app.run("state", ("_exit", 0)).error == "Unhandled"
    assert app.run("state", ("calls", None)).value not in (before, [before[0], before[1] + 1])


@fact("L9", sources.MEMORY)
def test_too_much_memory(app: Application) -> None:
    """A function may use as much memory as its MemorySize; beyond it the runtime is killed and the invocation fails."""
    assert app.run("small", ("allocate", 20), ("return", "fits")).value == "fits"
    answer = app.run("small", ("allocate", 200), ("sleep", 5))
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] in {"Runtime.OutOfMemory", "Runtime.ExitError"}
    assert answer.value["errorMessage"].endswith("signal: killed")


@fact("L10", sources.INVOKE)
def test_reserved_concurrency(app: Application) -> None:
    """Over a function's reserved concurrency Invoke answers 429 TooManyRequestsException, Reason
    `ReservedFunctionConcurrentInvocationLimitExceeded`."""
    refused: list[dict[str, object]] = []

    def call() -> object:
        try:
            return app.run("single", ("sleep", 0.6))
        except app.client.exceptions.TooManyRequestsException as error:
            refused.append(error.response)
            return None

    from_both = app.together([call, call])  # type: ignore[list-item]  # None stands for a refusal
    assert sum(answer is not None for answer in from_both) == 1
    assert refused[0]["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused[0]["ResponseMetadata"]["HTTPStatusCode"] == 429  # type: ignore[index]


@fact("L11", sources.RESERVED)
def test_reserved_concurrency_of_zero(app: Application) -> None:
    """A reserved concurrency of 0 switches a function off: every invocation is throttled."""
    with pytest.raises(app.client.exceptions.TooManyRequestsException):
        app.run("off")


@fact("L12", sources.INVOKE, local="the account's limit is 1,000 invocations")
def test_the_account_is_limited(app: Application) -> None:
    """Over the account's concurrency the Reason is `ConcurrentInvocationLimitExceeded`."""
    refused: list[str] = []

    def call() -> object:
        try:
            return app.run("burst", ("sleep", 0.6))
        except app.client.exceptions.TooManyRequestsException as error:
            refused.append(error.response["Reason"])
            return None

    with app.limits(concurrency=1):
        app.together([call, call])  # type: ignore[list-item]  # None stands for a refusal
    assert set(refused) == {"ConcurrentInvocationLimitExceeded"}
