"""Identity sources of an authorizer: what a handshake must bring before the function is asked.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.gateway.handshake import Handshake

_HEADER = ("route.request.header.", "route.request.multivalueheader.")
_QUERY = ("route.request.querystring.", "route.request.multivaluequerystring.")
_STAGE = "stageVariables."
_CONTEXT = "context."


def present(
    source: str, handshake: Handshake, *, context: Mapping[str, object], stage_variables: Mapping[str, str]
) -> bool:
    """Whether the value that a mapping expression names is there and not empty."""
    source = source.removeprefix("$")
    for prefix in _HEADER:
        if source.startswith(prefix):
            return bool(handshake.header(source.removeprefix(prefix)))
    for prefix in _QUERY:
        if source.startswith(prefix):
            return bool(handshake.query_parameter(source.removeprefix(prefix)))
    if source.startswith(_STAGE):
        return bool(stage_variables.get(source.removeprefix(_STAGE)))
    return source.startswith(_CONTEXT) and _reached(context, source.removeprefix(_CONTEXT))


def _reached(context: Mapping[str, object], path: str) -> bool:
    value: object = context
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return False
        value = value.get(step)
    return value is not None and value != ""
