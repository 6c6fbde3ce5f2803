"""What ConverseStream streams, and what comes of it."""

import dataclasses
import json

import pytest
from pydantic import JsonValue

from dayfly.agents.sdk import Answered
from dayfly.protocol.events import Finish
from tests.contract.bedrock_wire import START, counted, delta, says, stop, stop_block, stream, text, tool_use
from tests.contract.event_stream import exception
from tests.contract.hearing import AGENT, hear
from tests.contract.model_adapters import Bedrock
from tests.contract.scripted_model import Ends, Streamed

BEDROCK = Bedrock()
SAID = (START, *text("The answer is thirty-"))
USED = counted(10, 5)


def thinks(**content: JsonValue) -> bytes:
    return delta({"reasoningContent": content})


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.COMPLETE),
        ("stop_sequence", Finish.COMPLETE),
        ("tool_use", Finish.COMPLETE),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.CONTEXT_WINDOW),
        ("content_filtered", Finish.FILTERED),
        ("guardrail_intervened", Finish.FILTERED),
        ("refusal", Finish.REFUSED),
        ("something_new", Finish.OTHER),
    ],
)
async def test_how_an_answer_ended(reason: str, finish: Finish) -> None:
    """Is told with it, in the answer and in the journal."""
    came = await hear(BEDROCK, stream(*SAID, stop(reason), USED))
    assert came.failure is None, came.failure
    assert came.answer == Answered("The answer is thirty-", finish)
    assert came.response.message.finish is finish
    assert came.deltas == came.answer.text


FAILURES: dict[str, tuple[Streamed, str]] = {
    "it just stops": (stream(*SAID), "broke off"),
    "it stops before the first word": (stream(START), "broke off"),
    "nothing at all": (stream(), ""),
    "half an event": (stream(*SAID, stop("end_turn")[:20]), ""),
    "it drops": (stream(*SAID, Ends.DROPPED), ""),
    "malformed_model_output": (stream(*SAID, stop("malformed_model_output"), USED), "broke off"),
    "malformed_tool_use": (stream(*SAID, stop("malformed_tool_use"), USED), "broke off"),
    "no text": (stream(START, stop("end_turn"), USED), "gave no answer"),
    "blank text": (says("", reason="end_turn"), "gave no answer"),
    "blank lines": (says("\n", "\n"), "gave no answer"),
    "only reasoning": (stream(START, thinks(text="plan"), stop_block(), stop("end_turn"), USED), "gave no answer"),
    "only thoughts": (says("<thinking>plan</thinking>"), "gave no answer"),
    "filtered before a word": (stream(START, stop("content_filtered"), USED), "filtered the answer"),
    "held back before a word": (stream(START, stop("guardrail_intervened"), USED), "filtered the answer"),
    "cut before a word": (stream(START, thinks(text="plan"), stop("max_tokens"), USED), "output limit"),
    "cut in a call": (stream(START, *tool_use("double", '{"num'), stop("max_tokens"), USED), "middle of a tool call"),
    "cut before a call's arguments": (
        stream(START, *tool_use("double"), stop("max_tokens"), USED),
        "middle of a tool call",
    ),
    "no room for a word": (stream(START, stop("model_context_window_exceeded"), USED), "too long"),
    "an exception": (stream(*SAID, exception("modelStreamErrorException", "inner")), ""),
    "throttled in the middle": (stream(*SAID, exception("throttlingException", "inner")), ""),
}


@pytest.mark.parametrize(("answer", "told"), FAILURES.values(), ids=FAILURES)
async def test_what_is_no_answer(answer: Streamed, told: str) -> None:
    """Ends with `model_failed`, in words that say what happened; the provider's own stay inside."""
    came = await hear(BEDROCK, *[answer] * 6)
    assert came.failure is not None
    assert told in str(came.failure)
    assert "inner" not in str(came.failure)
    assert not any(isinstance(each, Answered) for each in came.events)


TEXTS: dict[str, tuple[tuple[bytes, ...], str, str]] = {
    "one block": ((*text("Hel", "lo"),), "", "Hello"),
    "several blocks": ((*text("Hel"), *text("lo", block=1)), "", "Hello"),
    "empty pieces": ((*text("", "Hel", "", "lo", ""),), "", "Hello"),
    "a block without an end": ((delta({"text": "Hello"}),), "", "Hello"),
    "halves of a character": ((*text("a\ud83d", "\ude00b"),), "", "a😀b"),
    "halves in two blocks": ((*text("a\ud83d"), *text("\ude00b", block=1)), "", "a😀b"),
    "a half alone": ((*text("a\ud83d", "b"),), "", "a\ufffdb"),
    "reasoning": (
        (thinks(text="pl"), thinks(text="an"), thinks(signature="xyz"), stop_block(), *text("Hello", block=1)),
        "plan",
        "Hello",
    ),
    "a signature alone": ((thinks(signature="xyz"), stop_block(), *text("Hello", block=1)), "", "Hello"),
    "empty reasoning": ((thinks(text=""), stop_block(), *text("Hello", block=1)), "", "Hello"),
    "hidden reasoning": ((thinks(redactedContent="cGxhbg=="), stop_block(), *text("Hello", block=1)), "", "Hello"),
    "tags": ((*text("<thinking>plan</thinking>\n\nHello"),), "plan", "Hello"),
    "tags in pieces": ((*text(*"<thinking>plan</thinking> Hello"),), "plan", "Hello"),
    "tags in two blocks": ((*text("<thinking>plan"), *text("</thinking>Hello", block=1)), "plan", "Hello"),
    "no usage": ((*text("Hello"),), "", "Hello"),
}


@pytest.mark.parametrize(("frames", "reasoning", "answer"), TEXTS.values(), ids=TEXTS)
async def test_text_and_reasoning(frames: tuple[bytes, ...], reasoning: str, answer: str) -> None:
    """The answer is what the model said, and so are its pieces together; reasoning is none of it."""
    came = await hear(BEDROCK, stream(START, *frames, stop("end_turn")))
    assert came.failure is None, came.failure
    assert (came.reasoning, came.deltas, came.answer) == (reasoning, answer, Answered(answer))
    assert came.response.message.text == answer


async def test_reasoning_is_left_out_where_the_agent_says_so() -> None:
    """Of either kind; the answer stays the same."""
    agent = dataclasses.replace(AGENT, show_reasoning=False)
    frames = (thinks(text="one"), stop_block(), *text("<thinking>two</thinking>Hello", block=1))
    came = await hear(BEDROCK, stream(START, *frames, stop("end_turn")), agent=agent)
    assert (came.reasoning, came.deltas, came.answer) == ("", "Hello", Answered("Hello"))


CALLS: dict[str, tuple[tuple[bytes, ...], list[tuple[str, JsonValue]]]] = {
    "in pieces": ((*tool_use("double", "", '{"num', 'ber": 3}', ""),), [("double", {"number": 3})]),
    "behind text": ((*text("Let me see."), *tool_use("double", '{"number": 3}')), [("double", {"number": 3})]),
    "two": (
        (*tool_use("double", '{"number": 3}'), *tool_use("halve", '{"number": 4}', call_id="tooluse_2", block=2)),
        [("double", {"number": 3}), ("halve", {"number": 4})],
    ),
    "two with one id": (
        (*tool_use("double", '{"number": 3}'), *tool_use("double", '{"number": 4}', block=2)),
        [("double", {"number": 3}), ("double", {"number": 4})],
    ),
    "blocks that begin far": ((*tool_use("double", '{"number": 3}', block=17),), [("double", {"number": 3})]),
    "without an end": ((tuple(tool_use("double", '{"number": 3}'))[:-1]), [("double", {"number": 3})]),
}


@pytest.mark.parametrize(("frames", "calls"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("reason", ["tool_use", "end_turn", "stop_sequence"])
async def test_tool_calls(frames: tuple[bytes, ...], calls: list[tuple[str, JsonValue]], reason: str) -> None:
    """Each call is one call, with whole arguments, and an id of its own."""
    came = await hear(BEDROCK, stream(START, *frames, stop(reason), USED), says("Done."))
    assert came.failure is None, came.failure
    made = came.response.message.calls
    assert [(call.name, json.loads(call.arguments)) for call in made] == calls
    assert len({call.call_id for call in made}) == len(made)
    assert came.answer == Answered("Done.")


async def test_a_response_that_was_held_back_calls_no_tool() -> None:
    """What the guardrail left, or put in its place, is the answer."""
    frames = (START, *text("I can't say that."), *tool_use("double", '{"number": 3}'))
    came = await hear(BEDROCK, stream(*frames, stop("guardrail_intervened"), USED))
    assert came.answer == Answered("I can't say that.", Finish.FILTERED)
    assert len(came.bodies) == 1
