"""From bytes to a frozen model, or one clear error."""

import json
import random
from typing import Any

import pytest

from dayfly.errors import InvalidJson, InvalidMessage, RequestError, TextTooLong, UnknownAction
from dayfly.protocol import frames, limits
from dayfly.protocol.frames import Attach, IfBusy, Run
from dayfly.protocol.parse import parse_frame, request_id_of
from dayfly.protocol.replies import Error
from dayfly.text import json_string_bytes

FRAMES: dict[str, dict[str, Any]] = {
    **{
        action: {name: value for name, value in model.example.items() if name not in {"action", "id"}}
        for action, model in frames.FRAMES.items()
    },
    "run in a thread": {"action": "run", "text": "Hi", "thread_id": "t-1", "agent": "a", "if_busy": "interrupt"},
    "cancel of a request": {"action": "cancel", "request_id": "q-1"},
    "attach after": {"action": "attach", "thread_id": "t-1", "after": {"r-1": 0, "r-2": 999_999_999_999}},
    "threads from": {"action": "threads", "cursor": "t-1"},
    "history before": {"action": "history", "thread_id": "t-1", "before": "1.2.r.n"},
}
"""The example of each action, and frames with the optional fields that it leaves out."""


def frame(name: str, **changed: Any) -> str:
    return json.dumps({"action": name, "id": "q-1", **FRAMES[name], **changed})


@pytest.mark.parametrize("name", FRAMES)
def test_each_action_is_read(name: str) -> None:
    """A frame of each action, with and without its optional fields, is read field by field."""
    body = frame(name)
    parsed = parse_frame(body)
    assert parsed.model_dump(mode="json", exclude_unset=True) == json.loads(body)


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (action, name)
        for action, model in frames.FRAMES.items()
        for name in model.model_fields
        if name not in {"id", "action"}
    ],
)
def test_null_is_the_same_as_leaving_out(action: str, name: str) -> None:
    """An optional field that is null gives the very frame that it gives when it is not there; a required one is
    refused."""
    kept = {key: value for key, value in FRAMES[action].items() if key != name}
    if frames.FRAMES[action].model_fields[name].is_required():
        with pytest.raises(InvalidMessage):
            parse_frame(frame(action, **{name: None}))
    else:
        body = {"action": action, "id": "q-1", **kept}
        assert parse_frame(json.dumps({**body, name: None})) == parse_frame(json.dumps(body))


@pytest.mark.parametrize(
    "body", ["", " ", "{", "nul", "{'a': 1}", '{"a": NaN}', '{"a": -Infinity}', "\ufeff{}", "{}{}"]
)
def test_what_is_not_json(body: str) -> None:
    """Text that is not JSON, the constants that only JavaScript has included, is `invalid_json`."""
    with pytest.raises(InvalidJson):
        parse_frame(body)


@pytest.mark.parametrize("body", ["[]", '"ping"', "7", "true", "null", "1e400"])
def test_what_is_not_an_object(body: str) -> None:
    """JSON other than an object is `invalid_message`."""
    with pytest.raises(InvalidMessage):
        parse_frame(body)


@pytest.mark.parametrize("action", [None, 7, "", "Ping", "$default", ["ping"], {"ping": 1}, "\ud800"])
def test_an_unknown_action(action: object) -> None:
    """No action, or none of the closed list, is `unknown_action`."""
    with pytest.raises(UnknownAction):
        parse_frame(json.dumps({"action": action, "id": "q-1"}))


@pytest.mark.parametrize("request_id", [None, 7, "", "a b", "a" * 65, "a\n", "ä", "\ud800", ["q"]])
def test_an_illegal_request_id(request_id: object) -> None:
    """A request id is 1 to 64 of `A-Za-z0-9_-`; another is refused and not echoed."""
    body = json.dumps({"action": "ping", "id": request_id})
    with pytest.raises(InvalidMessage):
        parse_frame(body)
    assert request_id_of(body) is None


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("run", {"text": 7}),
    ("run", {"text": None}),
    ("run", {"text": ""}),
    ("run", {"text": " \t\r\n\u00a0\u2003"}),
    ("run", {"text": "a\u0000b"}),
    ("run", {"text": "a\u0085b"}),
    ("run", {"text": "\x1b[31m"}),
    ("run", {"text": "\ud800"}),
    ("run", {"text": "\udc00\ud800"}),
    ("run", {"thread_id": "a#b"}),
    ("run", {"thread_id": 7}),
    ("run", {"agent": "../etc"}),
    ("run", {"if_busy": "Reject"}),
    ("run", {"if_busy": 1}),
    ("run", {"user_id": "u-mallory"}),
    ("run", {"\ud800": 1}),
    ("cancel", {"run_id": ""}),
    ("attach", {"after": []}),
    ("attach", {"after": {"r-1": -1}}),
    ("attach", {"after": {"r-1": 1.0}}),
    ("attach", {"after": {"r-1": "1"}}),
    ("attach", {"after": {"r-1": True}}),
    ("attach", {"after": {"r-1": 10**12}}),
    ("attach", {"after": {"r-1": 10**400}}),
    ("attach", {"after": {"r#1": 1}}),
    ("attach", {"after": {"\udfff": 1}}),
    ("attach", {"after": {f"r-{n}": 1 for n in range(limits.ATTACH_CURSORS + 1)}}),
    ("approve", {"approved": "yes"}),
    ("approve", {"tool_call_id": "x" * 257}),
    ("threads", {"cursor": ""}),
    ("history", {"before": "x" * 513}),
    ("rename", {"title": "x" * 201}),
    ("rename", {"title": ""}),
    ("rename", {"title": "   "}),
    ("rename", {"title": "\t\n\u00a0\u3000"}),
    ("rename", {"title": "\u0007"}),
    ("refresh", {"token": ""}),
    ("ping", {"extra": [[[[1]]]]}),
]


LONGEST: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("ping", {"id": "q" * 64}, {"id": "q" * 65}),
    ("run", {"thread_id": "t" * 64}, {"thread_id": "t" * 65}),
    ("run", {"agent": "a" * 64}, {"agent": "a" * 65}),
    ("cancel", {"request_id": "q" * 64}, {"request_id": "q" * 65}),
    ("attach", {"after": {"r-1": 10**12 - 1}}, {"after": {"r-1": 10**12}}),
    ("attach", {"after": {"r" * 64: 1}}, {"after": {"r" * 65: 1}}),
    (
        "attach",
        {"after": {f"r-{n}": 1 for n in range(limits.ATTACH_CURSORS)}},
        {"after": {f"r-{n}": 1 for n in range(limits.ATTACH_CURSORS + 1)}},
    ),
    ("approve", {"tool_call_id": "c" * 256}, {"tool_call_id": "c" * 257}),
    ("approve", {"reason": "é" * 1000}, {"reason": "é" * 1001}),
    ("threads", {"cursor": "x" * limits.CURSOR_CHARS}, {"cursor": "x" * (limits.CURSOR_CHARS + 1)}),
    ("history", {"before": "x" * limits.CURSOR_CHARS}, {"before": "x" * (limits.CURSOR_CHARS + 1)}),
    ("rename", {"title": "é" * limits.TITLE_CHARS}, {"title": "é" * (limits.TITLE_CHARS + 1)}),
    ("refresh", {"token": "x" * 8192}, {"token": "x" * 8193}),
]


@pytest.mark.parametrize(("name", "longest", "longer"), LONGEST, ids=lambda one: one if isinstance(one, str) else "")
def test_fields_on_both_sides_of_their_limits(name: str, longest: dict[str, Any], longer: dict[str, Any]) -> None:
    """The longest, greatest and most that a field may be is taken; one more is refused, by the field's name."""
    (field,) = longest
    assert getattr(parse_frame(frame(name, **longest)), field) == longest[field]
    with pytest.raises(InvalidMessage, match=f"`{field}`"):
        parse_frame(frame(name, **longer))


@pytest.mark.parametrize(("name", "changed"), WRONG)
def test_wrong_fields(name: str, changed: dict[str, Any]) -> None:
    """A field of a wrong type, size, alphabet or name is `invalid_message`; the answer names it and fits a frame."""
    body = frame(name, **changed)
    with pytest.raises(InvalidMessage) as raised:
        parse_frame(body)
    (field,) = changed
    # A name that the protocol has not is not repeated.
    assert f"`{field}`" in str(raised.value) or field not in frames.FRAMES[name].model_fields
    assert request_id_of(body) == "q-1"
    reply = Error(id="q-1", code=raised.value.code, message=str(raised.value), retryable=False).encode()
    assert len(reply) < 1000


def test_refusals_do_not_echo_what_was_sent() -> None:
    """The explanation of a refusal holds no value of the frame."""
    with pytest.raises(InvalidMessage) as raised:
        parse_frame(frame("run", text="hunter2\u0000"))
    assert "hunter2" not in str(raised.value)


def test_text_may_hold_what_people_write() -> None:
    """Tabs, line ends, non-ASCII, joined emoji and pairs of surrogate escapes are text."""
    text = "a\tb\r\nc é 名前 👩‍👩‍👧 \u202e"
    parsed = parse_frame(frame("run", text=text))
    assert isinstance(parsed, Run)
    assert parsed.text == text
    assert "\\ud83d" in frame("run", text="😀")


@pytest.mark.parametrize("character", ["x", "é", "名", "😀", '"', "\\", "\n"])
def test_text_on_both_sides_of_its_limit(character: str) -> None:
    """24 KB as a JSON string, raw non-ASCII and escapes counted, are taken; one byte more is `text_too_long`."""
    each = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    room = limits.TEXT_BYTES - 3
    text = "x" + character * (room // each) + "x" * (room % each)
    assert json_string_bytes(text) == limits.TEXT_BYTES
    parse_frame(frame("run", text=text))
    with pytest.raises(TextTooLong):
        parse_frame(frame("run", text=text + "x"))


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 100_000, '{"action":"ping","id":"q-1","x":' + "[" * 500 + "]" * 500 + "}"]
)
def test_deep_nesting_is_refused(body: str) -> None:
    """However deep a frame nests, closed or not, it is `invalid_json`."""
    with pytest.raises(InvalidJson):
        parse_frame(body)
    assert request_id_of(body) is None


@pytest.mark.parametrize(("opening", "inside", "closing"), [("[", "", "]"), ("[", "1", "]"), ('{"a":', "1", "}")])
def test_nesting_on_both_sides_of_its_limit(opening: str, inside: str, closing: str) -> None:
    """Objects and arrays count alike. What nests as deep as it may is refused for its field alone."""

    def nested(levels: int) -> str:
        value = opening * (levels - 1) + inside + closing * (levels - 1)
        return f'{{"action": "ping", "id": "q-1", "x": {value}}}'

    with pytest.raises(InvalidMessage):
        parse_frame(nested(limits.JSON_DEPTH))
    assert request_id_of(nested(limits.JSON_DEPTH)) == "q-1"
    with pytest.raises(InvalidJson, match="deeper"):
        parse_frame(nested(limits.JSON_DEPTH + 1))


def test_a_field_that_comes_twice() -> None:
    """Of a name that an object has twice the last counts, as most readers of JSON do, and nothing else happens."""
    parsed = parse_frame('{"action": "run", "action": "ping", "id": "a", "id": "b"}')
    assert (parsed.action, parsed.id) == ("ping", "b")


def test_the_longest_numbers() -> None:
    """A number of five thousand digits is legal JSON, so the refusal says what is the matter with it."""
    with pytest.raises(InvalidJson, match="too many digits"):
        parse_frame('{"action": "attach", "id": "q", "thread_id": "t", "after": {"r": ' + "9" * 5000 + "}}")


def test_defaults() -> None:
    """A `run` without options starts a thread with the default agent; an `attach` without cursors has none."""
    run = parse_frame(frame("run"))
    attach = parse_frame('{"action": "attach", "id": "q-1", "thread_id": "t-1"}')
    assert isinstance(run, Run)
    assert (run.thread_id, run.agent, run.if_busy) == (None, None, IfBusy.ENQUEUE)
    assert isinstance(attach, Attach)
    assert attach.after == {}


def test_nothing_but_a_request_error_is_ever_raised() -> None:
    """Three thousand broken frames, made from legal ones by a fixed seed, raise a `RequestError` or parse, and each
    refusal can be encoded."""
    dice = random.Random(1)
    seeds = [frame(name) for name in FRAMES]
    odd = [
        "\\ud800",
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        "null",
        "NaN",
        "1e999",
        "\u0000",
        "\ud800",
        "é",
        "😀",
        ":",
        ",",
        "-0",
        "true",
    ]
    replies: list[Error] = []
    for _ in range(3_000):
        body = dice.choice(seeds)
        for _ in range(dice.randrange(1, 4)):
            at, cut = dice.randrange(len(body) + 1), dice.choice([0, 0, 1, 3])
            body = body[:at] + dice.choice(odd) + body[at + cut :]
        try:
            parse_frame(body)
        except RequestError as error:
            replies.append(
                Error(id=request_id_of(body), code=error.code, message=str(error), retryable=error.retryable)
            )
    assert len(replies) > 1_500
    assert {json.loads(reply.encode())["code"] for reply in replies} == {
        "invalid_json",
        "invalid_message",
        "unknown_action",
    }
