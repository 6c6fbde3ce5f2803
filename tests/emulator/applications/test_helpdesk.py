"""Tickets behind an authorizer, with layers and parameters, as somebody may have written it: `helpdesk/`, as it is."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kit.client import Frame, opened, refused
from tests.live.kit.emulator import EmulatorProcess, running

TEMPLATE = Path(__file__).parent / "helpdesk" / "template.yaml"
KEY = "a key of this test"


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    """The application with a key of its own, in the environment that is the default."""
    with running(TEMPLATE, "--parameter-overrides", f"SigningKey={KEY}") as started:
        yield started


def token(user: str, role: str = "customer", *, key: str = KEY) -> str:
    """A token as the application's own issuer would sign it."""
    return f"{user}.{role}." + hmac.new(key.encode(), f"{user}.{role}".encode(), hashlib.sha256).hexdigest()


def tickets(answer: Frame) -> list[tuple[str, str]]:
    """Whose tickets with what subjects."""
    assert answer["type"] == "tickets"
    return [(each["user"], each["subject"]) for each in answer["body"]]


async def test_a_user_gets_in_and_is_known(emulator: EmulatorProcess) -> None:
    """The authorizer's context reaches the handlers, every value a string, beside the principal."""
    async with opened(emulator.stage("dev", token=token("ann"))) as ann:
        await ann.send_raw('{"type": "whoami"}')
        answer = await ann.receive()
        assert answer["type"] == "you"
        you = answer["body"]["you"]
        wanted = {"principalId": "ann", "user": "ann", "role": "customer", "isAgent": "false", "level": "1"}
        assert {name: you[name] for name in wanted} == wanted
        assert all(isinstance(you[name], str) for name in wanted)


async def test_parameters_conditions_and_mappings_choose(emulator: EmulatorProcess) -> None:
    """The stage, the SSM parameter and the bucket are those of the environment that was asked for."""
    async with opened(emulator.stage("dev", token=token("paul"))) as paul:
        await paul.send_raw('{"type": "whoami"}')
        body = (await paul.receive())["body"]
        assert (body["stage"], body["greeting"]) == ("dev", "How can we help?")
        assert body["upload"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("query", [{}, {"other": "x"}, {"token": ""}], ids=["none", "another", "empty"])
async def test_without_a_token_nobody_is_asked(emulator: EmulatorProcess, query: dict[str, str]) -> None:
    """A missing or empty identity source is 401, and the authorizer is not called."""
    before = sum("[AuthorizerFunction]" in line and "START" in line for line in emulator.lines)
    refusal = await refused(emulator.stage("dev", **query))
    assert refusal.status == 401
    assert b"Unauthorized" in refusal.body
    assert sum("[AuthorizerFunction]" in line and "START" in line for line in emulator.lines) == before


async def test_a_wrong_token_is_unauthorized(emulator: EmulatorProcess) -> None:
    """What the authorizer raises as `Unauthorized` is 401."""
    assert (await refused(emulator.stage("dev", token=token("ann", key="another key")))).status == 401


async def test_a_denied_user_is_forbidden(emulator: EmulatorProcess) -> None:
    """A policy that denies is 403; the list comes from a CommaDelimitedList's default."""
    assert (await refused(emulator.stage("dev", token=token("trudy")))).status == 403


async def test_tickets(emulator: EmulatorProcess) -> None:
    """Customers see their own by the table's key, agents see all by its index; the mapping limits their number."""
    async with (
        opened(emulator.stage("dev", token=token("tim"))) as tim,
        opened(emulator.stage("dev", token=token("eve"))) as eve,
        opened(emulator.stage("dev", token=token("gus", "agent"))) as gus,
    ):
        for subject in ("one", "two", "three"):
            await tim.send_raw(f'{{"type": "openTicket", "subject": "{subject}"}}')
            assert await tim.receive() == {"type": "opened", "body": subject}
        await tim.send_raw('{"type": "openTicket", "subject": "four"}')
        assert await tim.receive() == {"type": "error", "body": "too many tickets"}
        await eve.send_raw('{"type": "openTicket", "subject": "mine"}')
        await eve.receive()
        own, others = [("tim", each) for each in ("one", "two", "three")], [("eve", "mine")]
        for client, seen in ((tim, own), (eve, others), (gus, own + others)):
            await client.send_raw('{"type": "listTickets"}')
            assert tickets(await client.receive()) == seen


async def test_anything_else_goes_to_the_default_route(emulator: EmulatorProcess) -> None:
    """`$default` gets what has no route and what is no JSON, as it came."""
    async with opened(emulator.stage("dev", token=token("dora"))) as dora:
        for text in ("what?", '{"type": "close"}', '{"action": "whoami"}'):
            await dora.send_raw(text)
            answer = await dora.receive()
            assert (answer["type"], answer["body"]["unknown"]) == ("help", text)


async def test_the_disconnect_knows_the_user(emulator: EmulatorProcess) -> None:
    """The authorizer's context comes with `$disconnect` too, where no header and no token does."""
    async with opened(emulator.stage("dev", token=token("ann"))) as ann:
        async with opened(emulator.stage("dev", token=token("leo"))):
            pass
        seen: dict[str, str] = {}
        while seen.get("leo") != "offline":
            await ann.send_raw('{"type": "whoami"}')
            seen = (await ann.receive())["body"]["seen"]
        assert seen["ann"] == "online"


async def test_another_environment() -> None:
    """With another parameter the stage, the limits and the resources are the other ones."""
    options = ("--parameter-overrides", "Environment=prod", f"SigningKey={KEY}", "BannedUsers=zoe")
    with running(TEMPLATE, *options) as emulator:
        assert (await refused(emulator.stage("dev", token=token("trudy")))).status == 403
        assert (await refused(emulator.stage("prod", token=token("zoe")))).status == 403
        async with opened(emulator.stage("prod", token=token("trudy"))) as trudy:
            await trudy.send_raw('{"type": "whoami"}')
            body = (await trudy.receive())["body"]
            assert (body["stage"], body["upload"]) == ("prod", None)
            for number in range(4):
                await trudy.send_raw(f'{{"type": "openTicket", "subject": "{number}"}}')
                assert (await trudy.receive())["type"] == "opened"
