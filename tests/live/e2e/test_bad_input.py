"""Bad input gets a clear error, and nothing is lost."""

import json
from collections.abc import Callable

import pytest

from tests.live.kit.chat import Chat

DEEP = "[" * 9000 + "]" * 9000

BAD = {
    "not JSON": ("hello", "invalid_json"),
    "half JSON": ('{"action": "run"', "invalid_json"),
    "a number": ("42", "invalid_message"),
    "an array": ("[]", "invalid_message"),
    "no action": ('{"id": "x"}', "unknown_action"),
    "an unknown action": ('{"action": "dance", "id": "x"}', "unknown_action"),
    "an action of another type": ('{"action": 7, "id": "x"}', "unknown_action"),
    "no id": ('{"action": "ping"}', "invalid_message"),
    "an illegal id": ('{"action": "ping", "id": "a b"}', "invalid_message"),
    "a long id": (json.dumps({"action": "ping", "id": "x" * 65}), "invalid_message"),
    "no text": ('{"action": "run", "id": "x"}', "invalid_message"),
    "empty text": ('{"action": "run", "id": "x", "text": ""}', "invalid_message"),
    "text of another type": ('{"action": "run", "id": "x", "text": ["a"]}', "invalid_message"),
    "an unknown field": ('{"action": "ping", "id": "x", "extra": 1}', "invalid_message"),
    "a control character": (json.dumps({"action": "run", "id": "x", "text": "a\x00b"}), "invalid_message"),
    "a lone surrogate": ('{"action": "run", "id": "x", "text": "\\ud800"}', "invalid_message"),
    "deep nesting": (DEEP, "invalid_json"),
    "deep nesting in a field": ('{"action": "ping", "id": "x", "deep": ' + DEEP + "}", "invalid_json"),
    "NaN": ('{"action": "ping", "id": NaN}', "invalid_json"),
    "an unknown thread": ('{"action": "run", "id": "x", "text": "a", "thread_id": "t-none"}', "thread_not_found"),
    "an unknown run": ('{"action": "cancel", "id": "x", "run_id": "r-none"}', "run_not_found"),
    "nothing to cancel": ('{"action": "cancel", "id": "x"}', "invalid_message"),
    "a forged cursor": ('{"action": "threads", "id": "x", "cursor": "#"}', "invalid_message"),
    "a later action": ('{"action": "refresh", "id": "x", "token": "t"}', "not_supported"),
}


@pytest.mark.parametrize(("frame", "code"), BAD.values(), ids=BAD.keys())
async def test_a_bad_frame_is_answered_and_the_connection_goes_on(
    chat: Callable[[], Chat], frame: str, code: str
) -> None:
    """Each bad frame gets one error with a code; the next good frame is answered."""
    async with chat() as client:
        await client.send_raw(frame)
        answer = await client.until(lambda f: f["type"] == "error")
        assert answer["code"] == code, answer
        assert answer["message"]
        assert (await client.ask("ping"))["type"] == "pong"


async def test_the_texts_limit_on_both_sides(chat: Callable[[], Chat]) -> None:
    """A text of 24 KB as a JSON string is taken; one byte more is `text_too_long`."""
    async with chat() as client:
        fits = "ä" * ((24 * 1024 - 2) // 2)
        refused = await client.send_unescaped(fits + "a")
        assert refused["code"] == "text_too_long"
        accepted = await client.send_unescaped(fits)
        assert accepted["type"] == "accepted"
        await client.end_of(accepted["run_id"])
