"""Reading the ARNs and addresses that lead to a function, a queue or a topic."""

import re
from fnmatch import fnmatchcase

from emulator.template.values import Json

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
_URI = re.compile(r":lambda:path/[^/]+/functions/(?P<function>.+)/invocations$")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def function_name(reference: str) -> str | None:
    """The name in a function's name or ARN, with or without version or alias; None if it is neither.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-FunctionName
    """
    parts = reference.split(":")
    if "function" in parts[:-1]:
        name = parts[parts.index("function") + 1]
    elif reference.startswith("arn:"):
        return None
    else:
        name = parts[0]
    return name if _NAME.fullmatch(name) else None


def invoked_function(uri: str) -> str | None:
    """The name of the function that an invocation URI of API Gateway leads to; None if it leads to none."""
    match = _URI.search(uri)
    return None if match is None else function_name(match["function"])


def destination(arn: str) -> str | None:
    """An ARN as the contract names a destination: a function's name, a queue's or topic's ARN; None for others."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 and parts[0] == "arn" else ""
    if service == "lambda":
        return function_name(arn)
    return arn if service in {"sqs", "sns"} else None


def may_be_of_api(source: Json, api_id: str) -> bool:
    """Whether the SourceArn of a permission, with `*` and `?`, lets in calls of the API; none lets in every one.

    Region and account are made up here, so they are not compared. A text that is no ARN stands for a value that is
    not known here, and may be any.
    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html#lambda-AddPermission-request-SourceArn
    """
    parts = source.split(":", 5) if isinstance(source, str) else []
    if len(parts) < 6 or parts[0] != "arn":
        return True
    return parts[2] in ("execute-api", "*") and fnmatchcase(api_id, parts[5].split("/")[0])
