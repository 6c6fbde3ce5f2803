"""The init phase: what goes wrong in it, and how long it may take."""

from __future__ import annotations

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application


@fact("L13", sources.EXCEPTIONS)
def test_a_module_that_is_not_there(app: Application) -> None:
    """A handler that imports a missing module is a `Runtime.ImportModuleError` that names both."""
    answer = app.run("missing-module")
    assert (answer.status, answer.error, answer.value["errorType"]) == (200, "Unhandled", "Runtime.ImportModuleError")
    assert answer.value["errorMessage"] == "Unable to import module 'failing': No module named 'no_such_module'"


@pytest.mark.parametrize(
    ("function", "error_type"),
    [("missing-handler", "Runtime.HandlerNotFound"), ("syntax", "Runtime.UserCodeSyntaxError")],
)
@fact("L14", sources.RUNTIME_CLIENT)
def test_a_handler_that_cannot_be_loaded(app: Application, function: str, error_type: str) -> None:
    """A handler that its module does not have is a `Runtime.HandlerNotFound`, a module that does not compile a
    `Runtime.UserCodeSyntaxError`."""
    answer = app.run(function)
    assert (answer.status, answer.error, answer.value["errorType"]) == (200, "Unhandled", error_type)


@fact("L15", sources.LIFECYCLE)
def test_an_exception_at_import(app: Application) -> None:
    """An exception of static code ends the init phase; the invocation that needed it is answered with the error."""
    answer = app.run("raising")
    assert (answer.error, answer.value["errorType"], answer.value["errorMessage"]) == (
        "Unhandled",
        "RuntimeError",
        "not today",
    )


@fact("L16", sources.LIFECYCLE)
def test_an_exit_at_import(app: Application) -> None:
    """A runtime that ends in the init phase is a `Runtime.ExitError` with its exit status."""
    answer = app.run("exiting")
    assert answer.value["errorType"] == "Runtime.ExitError"
    assert answer.value["errorMessage"].endswith("Runtime exited with error: exit status 3")


@fact("L17", sources.LIFECYCLE)
def test_init_is_not_part_of_the_time_out(app: Application) -> None:
    """The first init phase has its own bound, 10 s: it may take longer than the function's time-out."""
    assert app.run("slower").value == "ready"


@fact("L18", sources.TROUBLE, local="the bound is shortened from 10 s to 0.5 s")
def test_a_long_init_is_done_again(app: Application) -> None:
    """An init phase over its bound is retried with the invocation, then bounded by the function's time-out."""
    with app.limits(init_time=0.5):
        assert app.run("slow").value == "ready"


@fact("L19", sources.TROUBLE, local="the bound is shortened from 10 s to 0.5 s")
def test_a_long_init_that_is_done_again_times_out(app: Application) -> None:
    """An init phase that is retried with the invocation and takes longer than the time-out ends the invocation."""
    app.fault("kill_environments", function="slower")
    with app.limits(init_time=0.5):
        answer = app.run("slower", tail=True)
    assert answer.error == "Unhandled"
    assert answer.value["errorMessage"].endswith("Task timed out after 1.00 seconds")
