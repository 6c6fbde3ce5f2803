"""What is wrong with a frame, in one plain sentence."""

import json
from typing import Any

import pytest

from dayfly.errors import InvalidMessage
from dayfly.protocol.parse import parse_frame
from tests.unit.protocol.test_parse import WRONG, frame


def refusal(body: str) -> str:
    with pytest.raises(InvalidMessage) as raised:
        parse_frame(body)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        ("run", {"text": 7}, "`text` is not a string."),
        ("run", {"text": ""}, "`text` is empty."),
        ("run", {"text": " \n"}, "`text` has nothing but white space."),
        ("run", {"thread_id": "a b"}, "`thread_id` does not match ^[A-Za-z0-9_-]{1,64}$."),
        ("run", {"if_busy": "wait"}, "`if_busy` is not one of 'enqueue', 'reject' or 'interrupt'."),
        ("ping", {"x": 1}, "`message` has a field that is none of: action, id."),
        ("approve", {"approved": 1}, "`approved` is neither true nor false."),
        ("approve", {"tool_call_id": "x" * 257}, "`tool_call_id` has more than 256 characters."),
        ("rename", {"title": " \t"}, "`title` has nothing but white space."),
        ("rename", {"title": "x" * 201}, "`title` has more than 200 characters."),
        ("attach", {"after": 1}, "`after` is not an object."),
        ("attach", {"after": {"r": 1.5}}, "A value in `after` is not a whole number."),
        ("attach", {"after": {"r": -1}}, "A value in `after` is less than 0."),
        ("attach", {"after": {"r": 10**12}}, "A value in `after` is more than 999999999999."),
        ("attach", {"after": {"r#": 1}}, "A name in `after` does not match ^[A-Za-z0-9_-]{1,64}$."),
        ("attach", {"after": {f"r{n}": 1 for n in range(51)}}, "`after` has more than 50 entries."),
    ],
)
def test_the_commonest_mistakes(name: str, changed: dict[str, Any], sentence: str) -> None:
    """The field and what is wrong, in the protocol's own words."""
    assert refusal(frame(name, **changed)) == sentence


def test_a_missing_field() -> None:
    """It is named."""
    assert refusal('{"action": "approve", "id": "q-1"}') == "`run_id` is missing."


@pytest.mark.parametrize(("name", "changed"), WRONG)
def test_every_mistake_has_words_of_its_own(name: str, changed: dict[str, Any]) -> None:
    """None of the wrong frames that are known is explained by the sentence for the unforeseen."""
    assert "is not what the protocol has there" not in refusal(frame(name, **changed))


@pytest.mark.parametrize("sent", ["hunter2", "\u001b[31mred", "\u0000", "../../x", "\ud800", "text.x", "x" * 9000])
@pytest.mark.parametrize("where", ["name", "key", "value"])
def test_nothing_of_the_client_is_echoed(sent: str, where: str) -> None:
    """A name, a key or a value that was sent does not come back, so no control character does."""
    wrong: dict[str, Any] = {"name": {sent: 1}, "key": {"after": {f"#{sent}": 1}}, "value": {"thread_id": f"#{sent}"}}
    said = refusal(json.dumps({"action": "attach", "id": "q-1", "thread_id": "t", **wrong[where]}))
    assert sent not in said
    assert said.isprintable()
