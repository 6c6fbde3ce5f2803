"""Identity sources.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html
"""

from __future__ import annotations

import pytest

from emulator.gateway.authorizer import present
from emulator.gateway.handshake import Handshake

HANDSHAKE = Handshake(
    stage="live", query="token=t&empty=", headers=(("X-Key", "k"), ("X-Empty", "")), source_ip="127.0.0.1", port=1
)


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ("route.request.header.x-key", True),
        ("$route.request.header.X-Key", True),
        ("route.request.multivalueheader.X-Key", True),
        ("route.request.header.X-Empty", False),
        ("route.request.header.X-None", False),
        ("route.request.querystring.token", True),
        ("route.request.multivaluequerystring.token", True),
        ("route.request.querystring.Token", False),
        ("route.request.querystring.empty", False),
        ("stageVariables.colour", True),
        ("stageVariables.none", False),
        ("context.identity.sourceIp", True),
        ("context.connectionId", True),
        ("context.identity.none", False),
        ("context.connectionId.none", False),
        ("method.request.header.X-Key", False),
    ],
)
def test_a_source_is_there_or_not(source: str, there: bool) -> None:
    """Headers in any case, query parameters as spelled, stage variables, context values; empty is not there."""
    context = {"connectionId": "abc=", "identity": {"sourceIp": "127.0.0.1"}}
    assert present(source, HANDSHAKE, context=context, stage_variables={"colour": "green"}) is there
