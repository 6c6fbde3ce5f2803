"""Text and reasoning as servers of OpenAI's Chat Completions stream them."""

import dataclasses
import gzip
import json
import time
from collections.abc import Iterable

import pytest
from pydantic import JsonValue

from dayfly.agents.sdk import Answered
from dayfly.protocol.events import Finish
from tests.contract.hearing import AGENT
from tests.contract.openai_responses import HELLO, STOP, USED, heard, part, raw, tools
from tests.contract.openai_wire import DONE, chunk, data, says, stream
from tests.contract.scripted_model import Ends, Step, Whole

TEXTS: dict[str, tuple[tuple[Step, ...], str]] = {
    "comments and blank events": (
        (b": keep-alive\n\n", b"\n\n", b"data:\n\n", HELLO, b": ping\n\n", STOP, DONE),
        "Hello",
    ),
    "no blank behind data:": ((HELLO.replace(b"data: ", b"data:"), STOP.replace(b"data: ", b"data:"), DONE), "Hello"),
    "CRLF": (tuple(each.replace(b"\n", b"\r\n") for each in (HELLO, STOP, DONE)), "Hello"),
    "CR": (tuple(each.replace(b"\n", b"\r") for each in (HELLO, STOP, DONE)), "Hello"),
    "one line end": ((HELLO[:-1], STOP[:-1], DONE[:-1]), "Hello"),
    "no line end at the end": ((HELLO, STOP.rstrip()), "Hello"),
    "byte by byte": (tuple(bytes([each]) for each in HELLO + STOP + DONE), "Hello"),
    "event and id lines": ((b"event: message\nid: 1\nretry: 5\n" + HELLO, STOP, DONE), "Hello"),
    "a byte order mark": ((b"\xef\xbb\xbf" + HELLO, STOP, DONE), "Hello"),
    "no [DONE]": ((HELLO, STOP), "Hello"),
    "[DONE] and no finish": ((HELLO, DONE), "Hello"),
    "[DONE] with more behind it": ((HELLO, STOP, DONE, b"data: more\n\n"), "Hello"),
    "no choices": ((data({"choices": []}), data({"choices": None}), data({}), HELLO, STOP, DONE), "Hello"),
    "null delta": ((chunk(None), HELLO, chunk(None, "stop"), DONE), "Hello"),
    "no delta": ((data({"choices": [{"index": 0}]}), HELLO, STOP, DONE), "Hello"),
    "role only": ((chunk({"role": "assistant"}), HELLO, chunk({"role": None, "content": None}), STOP, DONE), "Hello"),
    "finish with the last text": ((chunk({"content": "Hel"}), chunk({"content": "lo"}, "stop"), DONE), "Hello"),
    "finish twice": ((HELLO, STOP, STOP, DONE), "Hello"),
    "a finish with every chunk": ((chunk({"content": "Hel"}, "stop"), chunk({"content": "lo"}, "stop"), DONE), "Hello"),
    "an empty finish": ((chunk({"content": "Hel"}, ""), chunk({"content": "lo"}, ""), STOP, DONE), "Hello"),
    "parts of content": (
        (chunk({"content": [{"type": "text", "text": "Hel"}, "lo", {"type": "reference", "ids": [1]}]}), STOP, DONE),
        "Hello",
    ),
    "content as an object": ((chunk({"content": {"type": "text", "text": "Hello"}}), STOP, DONE), "Hello"),
    "halves of a character": (
        (
            chunk({"content": "a"}),
            *raw(
                'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}',
                'data: {"choices": [{"delta": {"content": "\\ude00b"}}]}',
            ),
            STOP,
            DONE,
        ),
        "a😀b",
    ),
    "a half alone": (
        (*raw('data: {"choices": [{"delta": {"content": "a\\ud83d"}}]}'), chunk({"content": "b"}), STOP, DONE),
        "a\ufffdb",
    ),
    "a character cut between two reads": (
        (chunk({"content": "a😀"})[:-20], chunk({"content": "a😀"})[-20:], STOP),
        "a😀",
    ),
    "NaN": (
        (*raw('data: {"logprobs": NaN, "choices": [{"delta": {"content": "Hello", "score": -Infinity}}]}'), STOP, DONE),
        "Hello",
    ),
    "odd members": (
        (
            data(
                {
                    "id": None,
                    "model": None,
                    "created": "now",
                    "object": 7,
                    "system_fingerprint": [],
                    "service_tier": {},
                    "choices": [
                        {"index": None, "delta": {"content": "Hello", "annotations": 3}, "logprobs": {"content": 1}}
                    ],
                }
            ),
            STOP,
            DONE,
        ),
        "Hello",
    ),
    "log probabilities": (
        (data({"choices": [{"delta": {"content": "Hello"}, "logprobs": {"content": [{"token": "x"}]}}]}), STOP, DONE),
        "Hello",
    ),
    "several choices": (
        (data({"choices": [{"delta": {"content": "Hello"}}, {"delta": {"content": "no"}}]}), STOP),
        "Hello",
    ),
    "message in the place of delta": (
        (data({"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}), DONE),
        "Hello",
    ),
    "the whole message again in the end": (
        (HELLO, data({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}), DONE),
        "Hello",
    ),
    "[DONE] in small letters behind text": ((HELLO, b"data: [DONE] \n\n"), "Hello"),
    "the connection drops behind the finish": ((HELLO, STOP, Ends.DROPPED), "Hello"),
    "null events": ((b"data: null\n\n", HELLO, STOP, DONE), "Hello"),
}


@pytest.mark.parametrize(("steps", "text"), TEXTS.values(), ids=TEXTS)
async def test_text(steps: tuple[Step, ...], text: str) -> None:
    """The answer is what the server said, and so are its pieces together."""
    came = await heard(stream(*steps))
    assert came.failure is None, came.failure
    assert (came.answer, came.deltas) == (Answered(text), text)
    assert came.response.message.finish is Finish.COMPLETE


REASONED: dict[str, tuple[tuple[bytes, ...], str]] = {
    "reasoning_content": (
        (chunk({"reasoning_content": "pl"}), chunk({"reasoning_content": "an", "content": None})),
        "plan",
    ),
    "reasoning": ((chunk({"reasoning": "pl", "content": ""}), chunk({"reasoning": "an"})), "plan"),
    "both": ((chunk({"reasoning": "plan", "reasoning_content": "plan"}),), "plan"),
    "thinking": ((chunk({"thinking": "plan"}),), "plan"),
    "an object": ((chunk({"reasoning": {"content": "plan"}}),), "plan"),
    "details alone": ((chunk({"reasoning_details": [{"type": "reasoning.text", "text": "plan"}]}),), "plan"),
    "details beside": ((chunk({"reasoning": "plan", "reasoning_details": [{"text": "plan"}]}),), "plan"),
    "encrypted details": ((chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "xyz"}]}),), ""),
    "a part of content": (
        (chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "plan"}]}]}),),
        "plan",
    ),
    "a number": ((chunk({"reasoning_content": 7}),), ""),
    "tags in one delta": ((chunk({"content": "<think>plan</think>"}),), "plan"),
    "tags in deltas": ((chunk({"content": "<think>plan"}), chunk({"content": "</think>"})), "plan"),
    "tags in pieces": (tuple(chunk({"content": each}) for each in "<think>plan</think>"), "plan"),
    "just the tags": (tuple(chunk({"content": each}) for each in ("<think>", "plan", "</think>", "\n\n")), "plan"),
    "both kinds": ((chunk({"reasoning_content": "one"}), chunk({"content": "<think>two</think>"})), "one\n\ntwo"),
}


@pytest.mark.parametrize(("frames", "reasoning"), REASONED.values(), ids=REASONED)
async def test_reasoning(frames: tuple[bytes, ...], reasoning: str) -> None:
    """Is told apart from the answer, which has nothing of it."""
    came = await heard(stream(*frames, HELLO, STOP, DONE))
    assert came.failure is None, came.failure
    assert (came.reasoning, came.deltas, came.answer) == (reasoning, "Hello", Answered("Hello"))
    assert came.response.message.text == "Hello"


async def test_reasoning_is_left_out_where_the_agent_says_so() -> None:
    """Of either kind; the answer stays the same."""
    agent = dataclasses.replace(AGENT, show_reasoning=False)
    frames = (chunk({"reasoning_content": "one"}), chunk({"content": "<think>two</think>"}))
    came = await heard(stream(*frames, HELLO, STOP, DONE), agent=agent)
    assert (came.reasoning, came.deltas, came.answer) == ("", "Hello", Answered("Hello"))


async def test_tagged_thoughts_do_not_go_back() -> None:
    """Not with the next request of the run: the model gets what it said, not what it thought."""
    asks = stream(
        chunk({"content": "<think>secret plan</think>Let me see."}), tools(part('{"number": 3}', "double", "c1")), DONE
    )
    came = await heard(asks, says("6"))
    assert came.failure is None
    assert len(came.bodies) == 2
    assert "secret plan" not in json.dumps(came.bodies[1])
    assert "Let me see." in json.dumps(came.bodies[1])


COMPLETION: dict[str, JsonValue] = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": USED}


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
async def test_a_server_that_does_not_stream(content_type: str) -> None:
    """Its one JSON body is the answer, with all that is in it."""
    message: JsonValue = {"role": "assistant", "content": "Hello", "reasoning_content": "plan", "tool_calls": None}
    body: JsonValue = {**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "length"}]}
    came = await heard(Whole(200, body, content_type=content_type))
    assert came.answer == Answered("Hello", Finish.LENGTH)
    assert (came.deltas, came.reasoning) == ("Hello", "plan")
    assert (came.response.input_tokens, came.response.output_tokens) == (10, 5)


async def test_tool_calls_of_a_server_that_does_not_stream() -> None:
    """They have no index there."""
    calls: JsonValue = [part('{"number": 3}', "double", "c1", None), part('{"number": 4}', "halve", "c2", None)]
    message: JsonValue = {"role": "assistant", "content": None, "tool_calls": calls}
    body: JsonValue = {**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    came = await heard(Whole(200, body), says("6 and 2"))
    made = came.response.message.calls
    assert [(call.name, json.loads(call.arguments)) for call in made] == [
        ("double", {"number": 3}),
        ("halve", {"number": 4}),
    ]
    assert came.answer == Answered("6 and 2")


async def test_a_body_that_is_compressed() -> None:
    """Is read like any other."""
    body = gzip.compress(HELLO + STOP + DONE)
    came = await heard(Whole(200, body, {"Content_Encoding": "gzip"}, content_type="text/event-stream"))
    assert came.answer == Answered("Hello")


async def test_a_server_that_keeps_the_connection_open() -> None:
    """Behind `[DONE]` nothing is waited for."""
    started = time.perf_counter()
    came = await heard(stream(HELLO, STOP, DONE, Ends.STALLED))
    assert came.answer == Answered("Hello")
    assert time.perf_counter() - started < 4


def strict_members(body: Iterable[JsonValue]) -> list[str]:
    return [line for line in map(json.dumps, body) if '"strict"' in line]


async def test_strict_is_for_openai_alone() -> None:
    """A server with a base URL is sent no `strict`."""
    came = await heard(says("Hello"))
    assert strict_members(came.bodies) == []
    assert '"number"' in json.dumps(came.bodies[0]["tools"])
