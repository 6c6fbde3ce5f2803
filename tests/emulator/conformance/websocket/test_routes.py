"""Which route a message goes to."""

from __future__ import annotations

import json

import pytest

from tests.emulator.conformance.facts import fact
from tests.emulator.conformance.websocket.client import Application
from tests.emulator.conformance.websocket.pages import EXPRESSIONS, MESSAGES, ROUTES


async def route_of(application: Application, text: str) -> str:
    """The key of the route that a message to the first API goes to."""
    async with application.connected() as client:
        await client.socket.send(text)
        (event,) = await client.routed()
        assert event["body"] == text
        return str(event["requestContext"]["routeKey"])


@fact("W50", ROUTES)
async def test_the_value_of_the_expression_is_the_route_key(application: Application) -> None:
    """A message goes to the route whose key is exactly the value that `$request.body.action` has in it."""
    assert await route_of(application, '{"action": "note"}') == "note"


@pytest.mark.parametrize("text", ['{"action": "other"}', '{"action": "Note"}', '{"action": "note "}'])
@fact("W51", ROUTES)
async def test_an_unmatched_value_goes_to_default(application: Application, text: str) -> None:
    """If no route has the value as its key, `$default` gets the message."""
    assert await route_of(application, text) == "$default"


@pytest.mark.parametrize("text", ["hello", "", "{'action': 'note'}", '{"action": "note"'])
@fact("W52", MESSAGES)
async def test_what_is_no_json_goes_to_default(application: Application, text: str) -> None:
    """Messages that are not JSON are passed to `$default`."""
    assert await route_of(application, text) == "$default"


@pytest.mark.parametrize("text", ["{}", '["note"]', '"note"', "7", '{"data": {"action": "note"}}'])
@fact("W53", ROUTES)
async def test_what_the_expression_can_t_be_evaluated_against_goes_to_default(
    application: Application, text: str
) -> None:
    """JSON without the property that the expression names goes to `$default`."""
    assert await route_of(application, text) == "$default"


@fact("W54", ROUTES)
async def test_the_value_is_made_a_string(application: Application) -> None:
    """The value is turned into a string: the number 7 selects the route `7`."""
    assert await route_of(application, '{"action": 7}') == "7"


@fact("W55", EXPRESSIONS)
async def test_an_expression_may_have_several_variables(application: Application) -> None:
    """`${request.body.service}x${request.body.action}` selects by both values and the text between."""
    async with application.connected(target=application.other) as client:
        await client.socket.send('{"service": "chat", "action": "join"}')
        (event,) = await client.routed()
        assert event["requestContext"]["routeKey"] == "chatxjoin"


@fact("W56", ROUTES)
async def test_a_path_that_is_not_there_is_empty(application: Application) -> None:
    """A variable whose path is not found is the empty string."""
    async with application.connected(target=application.other) as client:
        await client.socket.send('{"service": "chat"}')
        (event,) = await client.routed()
        assert event["requestContext"]["routeKey"] == "chatx"


@fact("W57", ROUTES)
async def test_without_default_an_unmatched_message_is_an_error(application: Application) -> None:
    """If no route matches and there is no `$default`, the client gets an error in a frame; the connection stays."""
    async with application.connected(target=application.other) as client:
        for text in ("hello", '{"service": "chat", "action": "none"}'):
            await client.socket.send(text)
            frame = json.loads(await client.text())
            assert frame["message"] == "Forbidden"
            assert frame["connectionId"] == client.id
        await client.socket.send('{"service": "chat", "action": "join"}')
        assert len(await client.routed()) == 1


@fact("W58", MESSAGES)
async def test_messages_of_one_connection_run_concurrently(application: Application) -> None:
    """Messages are worked on at once and need not be answered in order: a quick one overtakes a slow one before it."""
    async with application.connected() as client:
        await client.send("reply", do={"reply": {"body": "warm"}})
        await client.text()
        await client.send("reply", do={"sleep": 4, "reply": {"body": "slow"}})
        await client.send("reply", do={"reply": {"body": "quick"}})
        assert [await client.text(), await client.text()] == ["quick", "slow"]
