"""How responses of servers of OpenAI's Chat Completions end."""

import pytest

from dayfly.agents.sdk import Answered
from dayfly.protocol.events import Finish
from tests.contract.model_server import Answer
from tests.contract.openai_responses import STOP, heard, part, tools
from tests.contract.openai_wire import DONE, chunk, data, stream
from tests.contract.scripted_model import Whole

ENDINGS: dict[str, tuple[tuple[bytes, ...], Finish]] = {
    "stop": ((chunk({}, "stop"),), Finish.COMPLETE),
    "length": ((chunk({}, "length"),), Finish.LENGTH),
    "content_filter": ((chunk({}, "content_filter"),), Finish.FILTERED),
    "eos": ((chunk({}, "eos"),), Finish.COMPLETE),
    "eos_token": ((chunk({}, "eos_token"),), Finish.COMPLETE),
    "stop_sequence": ((chunk({}, "stop_sequence"),), Finish.COMPLETE),
    "model_length": ((chunk({}, "model_length"),), Finish.LENGTH),
    "MAX_TOKENS": ((chunk({}, "MAX_TOKENS"),), Finish.LENGTH),
    "SAFETY": ((chunk({}, "SAFETY"),), Finish.FILTERED),
    "something new": ((chunk({}, "something_new"),), Finish.OTHER),
    "in a chunk without a delta": ((data({"choices": [{"index": 0, "finish_reason": "length"}]}),), Finish.LENGTH),
    "a refusal behind it": ((chunk({"refusal": " No."}), chunk({}, "stop")), Finish.REFUSED),
    "no [DONE] behind it": ((), Finish.COMPLETE),
}


@pytest.mark.parametrize(("frames", "finish"), ENDINGS.values(), ids=ENDINGS)
async def test_how_an_answer_ended(frames: tuple[bytes, ...], finish: Finish) -> None:
    """Is told with it, in the answer and in the journal."""
    came = await heard(stream(chunk({"content": "The answer is thirty-"}), *frames, DONE))
    assert came.failure is None, came.failure
    assert came.answer.finish is finish
    assert came.response.message.finish is finish
    assert came.deltas == came.answer.text


async def test_a_refusal_is_the_answer() -> None:
    """Its text streams as any other."""
    pieces = (chunk({"refusal": "I can't ", "content": None}), chunk({"refusal": "help."}))
    came = await heard(stream(*pieces, chunk({}, "stop"), DONE))
    assert came.answer == Answered("I can't help.", Finish.REFUSED)
    assert came.deltas == "I can't help."


SAID = chunk({"content": "The answer is thirty-"})
FAILURES: dict[str, tuple[Answer, str]] = {
    "it just stops": (stream(SAID), "broke off"),
    "it stops before the first word": (stream(chunk({"role": "assistant"})), "broke off"),
    "nothing at all": (stream(), "broke off"),
    "a page": (stream(b"<!doctype html>\n<html>Gateway</html>\n"), "broke off"),
    "half an event": (stream(SAID, b'data: {"choices": [{"del'), ""),
    "finish error": (stream(SAID, chunk({}, "error"), DONE), "error"),
    "finish insufficient_system_resource": (stream(SAID, chunk({}, "insufficient_system_resource"), DONE), "error"),
    "finish abort": (stream(SAID, chunk({}, "abort"), DONE), "broke off"),
    "blank text": (stream(*[chunk({"content": ""})] * 4, STOP, DONE), "gave no answer"),
    "blank lines": (stream(chunk({"content": "\n\n"}), STOP, DONE), "gave no answer"),
    "what nobody can see": (stream(chunk({"content": "\u200b\ufeff"}), STOP, DONE), "gave no answer"),
    "only thoughts": (stream(chunk({"content": "<think>plan</think>"}), STOP, DONE), "gave no answer"),
    "only reasoning": (stream(chunk({"reasoning_content": "plan"}), STOP, DONE), "gave no answer"),
    "an open thought": (stream(chunk({"content": "<think>plan"}), STOP, DONE), "gave no answer"),
    "[DONE] alone": (stream(DONE), "gave no answer"),
    "filtered before a word": (stream(chunk({}, "content_filter"), DONE), "filtered the answer"),
    "cut before a word": (stream(chunk({"reasoning_content": "plan"}), chunk({}, "length"), DONE), "output limit"),
    "cut in a call": (stream(tools(part('{"num', "double", "c1")), chunk({}, "length"), DONE), "middle of a tool call"),
    "cut before a call's arguments": (
        stream(tools(part("", "double", "c1")), chunk({}, "length"), DONE),
        "middle of a tool call",
    ),
    "a call without an end": (stream(tools(part('{"number": 3}', "double", "c1"))), "broke off"),
    "an error": (stream(SAID, data({"error": {"message": "inner", "type": "server_error", "code": 500}}), DONE), ""),
    "an error as a text": (stream(SAID, data({"error": "inner"})), ""),
    "an error in a choice": (stream(SAID, data({"choices": [{"error": {"message": "inner", "code": 502}}]})), ""),
    "an error as the event": (stream(SAID, b"event: error\n" + data({"message": "inner"})), ""),
    "an error that is no JSON": (stream(SAID, b"event: error\ndata: inner\n\n"), ""),
    "an error as the object": (stream(data({"object": "error", "message": "inner", "code": 400})), ""),
    "an error as the body": (Whole(200, {"error": {"message": "inner", "code": "server_error"}}), ""),
    "an error as a detail": (Whole(200, {"detail": "inner"}), ""),
    "half a body": (Whole(200, b'{"choices": [{"message": {"content": "The ans'), "broke off"),
    "no JSON": (stream(SAID, b"data: {broken\n\n", STOP, DONE), ""),
}


@pytest.mark.parametrize(("answer", "told"), FAILURES.values(), ids=FAILURES)
async def test_what_is_no_answer(answer: Answer, told: str) -> None:
    """Ends with `model_failed`, in words that say what happened; the provider's own stay inside."""
    came = await heard(*[answer] * 6)
    assert came.failure is not None
    assert told in str(came.failure)
    assert "inner" not in str(came.failure)
    assert not any(isinstance(event, Answered) for event in came.events)
