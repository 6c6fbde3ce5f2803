"""REQUEST authorizers of `$connect`."""

from __future__ import annotations

import time

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application
from tests.emulator.conformance.websocket.pages import (
    AUTHORIZER,
    AUTHORIZER_ANSWER,
    CONNECT,
    CONTEXT,
    EVALUATION,
    IAM,
    IDENTITY,
    QUOTAS,
    REFUSALS,
    WILDCARDS,
)


@pytest.mark.parametrize(
    ("query", "headers"),
    [([], [("X-Run", "{run}")]), ([("run", "{run}")], []), ([("run", "")], [("X-Run", "{run}")])],
)
@fact("W10", IDENTITY)
async def test_a_missing_identity_source_is_401_without_a_call(
    application: Application, query: list[tuple[str, str]], headers: list[tuple[str, str]]
) -> None:
    """Every identity source must be there and not empty, else the client gets 401 and the authorizer is not called."""
    run = f"missing-{time.time_ns()}"
    refusal = await application.refused(
        query=[(name, value.format(run=run)) for name, value in query],
        headers=[(name, value.format(run=run)) for name, value in headers],
    )
    assert refusal.status == 401
    assert await application.ledger(run) == []
    assert await application.ledger("nobody") == []


@fact("W11", IDENTITY)
async def test_stage_variables_and_context_can_be_identity_sources(application: Application) -> None:
    """Identity sources may be headers, query parameters, stage variables and context values (all four here)."""
    async with application.connected() as client:
        (event,) = await application.written(client.connected["queryStringParameters"]["run"], "authorizer")
        assert event["stageVariables"] == {"colour": "green"}


@fact("W12", IDENTITY)
async def test_without_identity_sources_the_authorizer_is_always_called(application: Application) -> None:
    """Identity sources are optional: an authorizer that names none is asked about every handshake."""
    async with application.connected(target=application.other) as client:
        run = client.connected["queryStringParameters"]["run"]
        assert len(await application.written(run, "authorizer")) == 1


@fact("W13", CONNECT)
async def test_deny_is_403(application: Application) -> None:
    """A policy that denies gives the client 403, and `$connect` is not invoked."""
    run = f"denied-{time.time_ns()}"
    assert (await application.refused(auth={"allow": [], "deny": ["{arn}"]}, run=run)).status == 403
    assert [each["function"] for each in await application.ledger(run)] == ["authorizer"]


@fact("W14", AUTHORIZER)
async def test_the_error_unauthorized_is_401(application: Application) -> None:
    """An authorizer that ends with the error `Unauthorized` gives the client 401."""
    assert (await application.refused(auth={"fail": "Unauthorized"})).status == 401


@pytest.mark.parametrize(
    "script",
    [{"answer": "yes"}, {"answer": {"policyDocument": {"Statement": []}}}, {"answer": {"principalId": "someone"}}],
)
@fact("W15", AUTHORIZER_ANSWER)
async def test_an_answer_without_principal_or_policy_refuses(
    application: Application, script: dict[str, object]
) -> None:
    """The answer must hold `principalId` and `policyDocument`; one that does not never lets a client in."""
    assert (await application.refused(auth=script)).status == 500


@fact("W16", AUTHORIZER_ANSWER)
async def test_an_object_in_the_context_refuses(application: Application) -> None:
    """A context with an object or an array among its values lets nobody in."""
    for value in ({"name": "alice"}, ["alice"]):
        assert (await application.refused(auth={"context": {"user": value}})).status == 500


@fact("W17", CONTEXT)
async def test_the_context_is_passed_on_as_strings(application: Application) -> None:
    """Numbers and booleans of the context arrive as strings, `1` and `true`, beside `principalId`."""
    auth = {"context": {"key": "value", "numKey": 1, "boolKey": True}}
    async with application.connected(auth=auth) as client:
        await client.send("note")
        (routed,) = await client.routed()
        for event in (client.connected, routed):
            passed = event["requestContext"]["authorizer"]
            expected = {"principalId": "someone", "key": "value", "numKey": "1", "boolKey": "true"}
            assert {name: passed[name] for name in expected} == expected


@fact("W18", CONTEXT)
async def test_disconnect_has_the_authorizers_context_too(application: Application) -> None:
    """`requestContext.authorizer` stands in the event of `$disconnect` as well."""
    async with application.connected(auth={"context": {"user": "alice"}}) as client:
        await client.socket.close()
        event = await client.disconnected()
        assert event["requestContext"]["authorizer"]["user"] == "alice"


@pytest.mark.parametrize(
    ("allow", "deny", "status"),
    [
        (["{api}/other/$connect"], [], 403),
        (["{api}/live/$default"], [], 403),
        ([], [], 403),
        (["{api}/*"], ["{arn}"], 403),
        (["{arn}"], ["{api}/live/*"], 403),
    ],
)
@fact("W19", EVALUATION)
async def test_a_policy_that_does_not_allow_the_route_is_403(
    application: Application, allow: list[str], deny: list[str], status: int
) -> None:
    """What no statement allows is denied, and an explicit Deny wins over any Allow."""
    assert (await application.refused(auth={"allow": allow, "deny": deny})).status == status


@pytest.mark.parametrize("pattern", ["{api}/*", "{api}/live/*", "{api}/l?ve/$connect", "arn:aws:execute-api:*", "*"])
@fact("W20", WILDCARDS)
async def test_a_policy_may_use_wildcards(application: Application, pattern: str) -> None:
    """`*` and `?` in a policy's resource stand for any characters and for one."""
    async with application.connected(auth={"allow": ["{api}/none", pattern]}) as client:
        assert client.id


@fact("W21", IAM)
async def test_the_method_arn_names_stage_and_route(application: Application) -> None:
    """`methodArn` has the form `arn:aws:execute-api:region:account:api/stage/$connect`."""
    async with application.connected() as client:
        (event,) = await application.written(client.connected["queryStringParameters"]["run"], "authorizer")
        *arn, resource = event["methodArn"].split(":")
        assert arn[:3] == ["arn", "aws", "execute-api"]
        assert resource == f"{event['requestContext']['apiId']}/live/$connect"


@fact("W22", QUOTAS)
async def test_an_authorizers_answer_over_8_kb_refuses(application: Application) -> None:
    """An authorizer's answer of more than 8 KB lets nobody in."""
    async with application.connected(auth={"pad": 7000}) as client:
        assert client.id
    assert (await application.refused(auth={"pad": 8200})).status >= 500


@fact("W23", QUOTAS, local="the quota of 29 s is shortened")
async def test_a_late_authorizer_refuses(application: Application) -> None:
    """An authorizer that takes longer than the integration time-out lets nobody in."""
    async with application.control.limits(integration_timeout=0.3):
        assert (await application.refused(auth={"sleep": 1})).status == 500


@pytest.mark.parametrize("message", ["boom", "unauthorized", "Unauthorized: no token"])
@fact("W25", REFUSALS)
async def test_a_failing_authorizer_is_500(application: Application, message: str) -> None:
    """An authorizer that ends with any other error gives the client 500, and `$connect` is not invoked."""
    run = f"failed-{time.time_ns()}"
    assert (await application.refused(auth={"fail": message}, run=run)).status == 500
    assert [each["function"] for each in await application.ledger(run)] == ["authorizer"]
