"""Tool calls as servers of OpenAI's Chat Completions stream them."""

import json

import pytest
from pydantic import JsonValue

from dayfly.agents.sdk import AgentDefinition, Answered
from tests.contract.openai_responses import heard, part, tools
from tests.contract.openai_wire import DONE, chunk, says, stream

CALLS: dict[str, tuple[tuple[bytes, ...], list[tuple[str, JsonValue]]]] = {
    "as OpenAI sends it": (
        (tools(part("", "double", "c1")), tools(part('{"num')), tools(part('ber": 3}'))),
        [("double", {"number": 3})],
    ),
    "the name with every piece": (
        tuple(
            tools(part(piece, "double", "c1" if not at else None)) for at, piece in enumerate(("", '{"number"', ": 3}"))
        ),
        [("double", {"number": 3})],
    ),
    "name and id with every piece": (
        tuple(tools(part(piece, "double", "c1")) for piece in ("", '{"number"', ": 3}")),
        [("double", {"number": 3})],
    ),
    "an id anew with every piece": (
        tuple(tools(part(piece, "double", f"c{at}")) for at, piece in enumerate(('{"number"', ": 3}"))),
        [("double", {"number": 3})],
    ),
    "the name in parts": (
        (tools(part(None, "dou", "c1")), tools(part(None, "ble")), tools(part('{"number": 3}'))),
        [("double", {"number": 3})],
    ),
    "the name as far as it is known": (
        (tools(part(None, "dou", "c1")), tools(part(None, "double")), tools(part('{"number": 3}'))),
        [("double", {"number": 3})],
    ),
    "the name behind the id": (
        (tools(part(None, None, "c1")), tools(part('{"number": 3}', "double"))),
        [("double", {"number": 3})],
    ),
    "the id behind the name": (
        (tools(part(None, "double")), tools(part('{"number": 3}', None, "c1"))),
        [("double", {"number": 3})],
    ),
    "no id": ((tools(part('{"number": 3}', "double")),), [("double", {"number": 3})]),
    "empty ids": (
        (tools(part('{"number": 3}', "double", ""), part('{"number": 4}', "halve", "", 1)),),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "ids that are numbers": ((tools(part('{"number": 3}', "double", 7)),), [("double", {"number": 3})]),
    "one index for all, with ids": (
        (tools(part('{"number": 3}', "double", "c1")), tools(part('{"number": 4}', "double", "c2"))),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "one index for all, in pieces": (
        (
            tools(part('{"number":', "double", "c1")),
            tools(part("3}")),
            tools(part('{"number":', "halve", "c2")),
            tools(part("4}")),
        ),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "one index for all, without ids": (
        (tools(part('{"number": 3}', "double")), tools(part('{"number": 4}', "double"))),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "no index": (
        (
            tools(part('{"number"', "double", "c1", None)),
            tools(part(": 3}", None, None, None)),
            tools(part('{"number": 4}', "halve", "c2", None)),
        ),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "neither index nor id": (
        (tools(part('{"number": 3}', "double", None, None), part('{"number": 4}', "double", None, None)),),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "an index that is null": (
        (
            chunk(
                {
                    "tool_calls": [
                        {"index": None, "id": "c1", "function": {"name": "double", "arguments": '{"number": 3}'}}
                    ]
                }
            ),
        ),
        [("double", {"number": 3})],
    ),
    "indices from one on": (
        (tools(part('{"number": 3}', "double", "c1", 1)), tools(part('{"number": 4}', "halve", "c2", 2))),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "arguments at an index where nothing began": (
        (tools(part("", "double", "c1", 1)), tools(part('{"number": 3}', None, None, 0))),
        [("double", {"number": 3})],
    ),
    "an index that grows with every piece": (
        (
            tools(part("", "double", "c1", 0)),
            tools(part('{"number"', None, "c1", 1)),
            tools(part(": 3}", None, "c1", 2)),
        ),
        [("double", {"number": 3})],
    ),
    "indices the wrong way round": (
        (tools(part('{"number": 3}', "double", "c1", 1)), tools(part('{"number": 4}', "halve", "c2", 0))),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "interleaved": (
        (
            tools(part("", "double", "c1", 0), part("", "halve", "c2", 1)),
            tools(part('{"number"', None, None, 0)),
            tools(part('{"number": 4}', None, None, 1)),
            tools(part(": 3}", None, None, 0)),
        ),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "one id for all": (
        (tools(part('{"number": 3}', "double", "call", 0)), tools(part('{"number": 4}', "double", "call", 1))),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "one id and one index for all": (
        (tools(part('{"number": 3}', "double", "call")), tools(part('{"number": 4}', "double", "call"))),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "the whole call again in the end": (
        (tools(part('{"number"', "double", "c1")), tools(part(": 3}")), tools(part('{"number": 3}', "double", "c1"))),
        [("double", {"number": 3})],
    ),
    "the whole call twice": (
        (tools(part('{"number": 3}', "double", "c1")), tools(part('{"number": 3}', "double", "c1"))),
        [("double", {"number": 3})],
    ),
    "arguments as far as they are known": (
        (tools(part('{"number"', "double", "c1")), tools(part('{"number": 3}', "double", "c1"))),
        [("double", {"number": 3})],
    ),
    "arguments as an object": ((tools(part({"number": 3}, "double", "c1")),), [("double", {"number": 3})]),
    "arguments as an object twice": (
        (tools(part({"number": 3}, "double", "c1")), tools(part({"number": 3}, "double", "c1"))),
        [("double", {"number": 3})],
    ),
    "arguments as a text in a text": (
        (tools(part('"{\\"number\\": 3}"', "double", "c1")),),
        [("double", {"number": 3})],
    ),
    "an empty object before the arguments": (
        (tools(part("{}", "double", "c1")), tools(part('{"number"')), tools(part(": 3}"))),
        [("double", {"number": 3})],
    ),
    "null in words before the arguments": (
        (tools(part("null", "double", "c1")), tools(part('{"number"')), tools(part(": 3}"))),
        [("double", {"number": 3})],
    ),
    "a name with blanks around": ((tools(part('{"number": 3}', " double\n", "c1")),), [("double", {"number": 3})]),
    "a name with a template's tokens behind it": (
        (tools(part('{"number": 3}', "double<|channel|>commentary", "c1")),),
        [("double", {"number": 3})],
    ),
    "null pieces of arguments": (
        (
            chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "double", "arguments": None}}]}),
            tools(part('{"number": 3}')),
            chunk({"tool_calls": [{"index": 0, "function": None}]}),
        ),
        [("double", {"number": 3})],
    ),
    "blank pieces around": (
        (tools(part(" ", "double", "c1")), tools(part('{"number": 3}')), tools(part("\n"))),
        [("double", {"number": 3})],
    ),
    "without a function around": (
        (chunk({"tool_calls": [{"index": 0, "id": "c1", "name": "double", "arguments": {"number": 3}}]}),),
        [("double", {"number": 3})],
    ),
    "one call that is no list": (
        (chunk({"tool_calls": part('{"number": 3}', "double", "c1")}),),
        [("double", {"number": 3})],
    ),
    "the older protocol": (
        (
            chunk({"function_call": {"name": "double", "arguments": ""}}),
            chunk({"function_call": {"arguments": '{"number": 3}'}}),
        ),
        [("double", {"number": 3})],
    ),
    "nothing but null beside": (
        (
            chunk({"content": None, "tool_calls": None, "function_call": None, "refusal": None}),
            tools(part('{"number": 3}', "double", "c1")),
        ),
        [("double", {"number": 3})],
    ),
}


@pytest.mark.parametrize(("frames", "calls"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("finish", ["tool_calls", "stop", "function_call", None])
async def test_tool_calls(frames: tuple[bytes, ...], calls: list[tuple[str, JsonValue]], finish: str | None) -> None:
    """Each call is one call, with one name, whole arguments, and an id of its own, however it was told."""
    ending = (chunk({}, finish),) if finish else ()
    came = await heard(stream(*frames, *ending, DONE), says("Done."))
    assert came.failure is None, came.failure
    made = came.response.message.calls
    assert [(call.name, json.loads(call.arguments)) for call in made] == calls
    assert len({call.call_id for call in made}) == len(made)
    assert all(call.call_id for call in made)
    assert came.answer == Answered("Done.")


async def test_a_call_without_arguments() -> None:
    """Is one with none."""

    def now() -> str:
        """Tells the time."""
        return "noon"

    agent = AgentDefinition(instructions="Help.", tools=(now,))
    for arguments in ("", None, "{}", "null"):
        came = await heard(
            stream(tools(part(arguments, "now", "c1")), chunk({}, "tool_calls"), DONE), says("Noon."), agent=agent
        )
        assert came.failure is None, arguments
        (call,) = came.response.message.calls
        assert json.loads(call.arguments) == {}, arguments


@pytest.mark.parametrize("name", [None, " ", "<|channel|>"])
async def test_a_call_that_nobody_can_name(name: str | None) -> None:
    """Is no call: the response is malformed."""
    came = await heard(*[stream(tools(part('{"number": 3}', name, "c1")), chunk({}, "tool_calls"), DONE)] * 6)
    assert came.failure is not None
    assert "broke off" in str(came.failure)
