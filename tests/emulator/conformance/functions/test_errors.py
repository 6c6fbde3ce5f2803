"""Function errors, as Lambda encodes them, and answers that are none."""

from __future__ import annotations

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application


@fact("L42", sources.EXCEPTIONS)
def test_an_exception(app: Application) -> None:
    """An exception is status 200 with FunctionError `Unhandled` and errorMessage, errorType, requestId, stackTrace."""
    answer = app.run("script", ("raise", "no: ä"))
    assert (answer.status, answer.error) == (200, "Unhandled")
    trace = answer.value.pop("stackTrace")
    assert answer.value == {"errorMessage": "no: ä", "errorType": "Refused", "requestId": answer.request_id}
    assert any("in raises\n    raise Refused(message)" in frame for frame in trace)


@fact("L43", sources.HANDLER)
def test_none(app: Application) -> None:
    """A handler that returns nothing is answered with `null`."""
    answer = app.run("script", ("return", None))
    assert (answer.value, answer.error) == (None, None)


@fact("L44", sources.EXCEPTIONS)
def test_an_answer_that_json_cannot_hold(app: Application) -> None:
    """An answer that cannot be serialised is a `Runtime.MarshalError`."""
    answer = app.run("script", ("object", None))
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "Runtime.MarshalError")
