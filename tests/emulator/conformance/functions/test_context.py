"""What a function sees: the context object, environment variables, its own folder."""

from __future__ import annotations

import re

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.functions import sources
from tests.emulator.conformance.functions.application import Application, client_context


@fact("L20", sources.CONTEXT)
def test_context_names_the_function(app: Application) -> None:
    """`context` has function_name, function_version, invoked_function_arn and memory_limit_in_mb."""
    seen = app.run("script", ("context", None)).value
    assert seen["function_name"] == "conformance-script"
    assert seen["function_version"] == "$LATEST"
    assert re.fullmatch(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:conformance-script", seen["invoked_function_arn"])
    assert seen["memory_limit_in_mb"] == "256"


@fact("L21", sources.CONTEXT)
def test_context_names_the_request(app: Application) -> None:
    """`context.aws_request_id` is the request id that Invoke answers with."""
    answer = app.run("script", ("context", None))
    assert answer.value["aws_request_id"] == answer.request_id


@fact("L22", sources.CONTEXT)
def test_context_names_the_log(app: Application) -> None:
    """`context` has log_group_name and log_stream_name, the stream being the environment's own."""
    seen = app.run("script", ("context", None)).value
    assert seen["log_group_name"] == "/aws/lambda/conformance-script"
    assert re.fullmatch(r"\d{4}/\d{2}/\d{2}/\[\$LATEST\][0-9a-f]{32}", seen["log_stream_name"])


@fact("L23", sources.CONTEXT)
def test_remaining_time(app: Application) -> None:
    """`get_remaining_time_in_millis()` counts down from the time-out, in every invocation anew."""
    assert 9000 < app.run("script", ("context", None)).value["remaining"] <= 10000
    assert app.run("script", ("sleep", 0.5), ("context", None)).value["remaining"] <= 9500
    assert 9000 < app.run("script", ("context", None)).value["remaining"] <= 10000


@fact("L24", sources.INVOKE)
def test_client_context(app: Application) -> None:
    """`ClientContext`, base64 of JSON, reaches the function as `context.client_context`."""
    given = client_context({"custom": {"a": "ä"}, "client": {"app_title": "t"}, "env": {}})
    seen = app.run("script", ("context", None), ClientContext=given).value
    assert (seen["custom"], seen["app_title"]) == ({"a": "ä"}, "t")


@fact("L25", sources.CONTEXT)
def test_no_client_and_no_identity(app: Application) -> None:
    """Without them `client_context` is None and `identity` has no Cognito identity."""
    seen = app.run("script", ("context", None)).value
    assert (seen["custom"], seen["app_title"], seen["identity"], seen["tenant_id"]) == (None, None, None, None)


@fact("L26", sources.VARIABLES)
def test_reserved_variables(app: Application) -> None:
    """Lambda sets `_HANDLER`, AWS_REGION, AWS_EXECUTION_ENV, the AWS_LAMBDA_… variables, keys and the Runtime API."""
    seen = app.run("script", ("environ", None)).value
    assert seen["_HANDLER"] == "script.handler"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"]
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "conformance-script"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert seen["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/conformance-script"
    for name in ("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
                 "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):  # fmt: skip
        assert seen[name]


@fact("L27", sources.VARIABLES)
def test_the_clock_is_utc(app: Application) -> None:
    """`TZ` is `:UTC` and `LANG` `en_US.UTF-8`, whatever the machine's are."""
    seen = app.run("script", ("environ", None)).value
    assert (seen["TZ"], seen["LANG"]) == (":UTC", "en_US.UTF-8")


@fact("L28", sources.VARIABLES)
def test_trace_header(app: Application) -> None:
    """`_X_AMZN_TRACE_ID` holds the X-Ray header of the present invocation."""
    first, second = (app.run("script", ("environ", None)).value["_X_AMZN_TRACE_ID"] for _ in range(2))
    assert re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", first)
    assert first != second


@fact("L29", sources.VARIABLES)
def test_own_variables(app: Application) -> None:
    """The variables of the function's configuration are in its environment."""
    assert app.run("script", ("environ", None)).value["OWN"] == "of the template"


@fact("L30", sources.VARIABLES)
def test_own_folder(app: Application) -> None:
    """`LAMBDA_TASK_ROOT` is the folder of the code: the working directory, and first on the import path."""
    root = app.run("script", ("environ", None)).value["LAMBDA_TASK_ROOT"]
    assert app.run("script", ("directory", None)).value == [root, root]
