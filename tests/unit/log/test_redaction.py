"""What events show: redacted, bounded, whole."""

import json

import pytest

from dayfly.log.messages import ToolAnswered
from dayfly.log.redaction import (
    PARAMETER_BYTES,
    REDACTED,
    RESULT_BYTES,
    redact,
    sanitized_answer,
    shown_parameters,
    shown_result,
)
from dayfly.text import cut, json_string_bytes, sanitize, split_text


@pytest.mark.parametrize(
    "name", ["password", "db_passwd", "clientSecret", "TOKEN", "api_key", "Authorization", "credentials"]
)
def test_secrets_are_taken_out(name: str) -> None:
    """Values of keys that hold password, secret, token, key, auth or credential are redacted, at any depth."""
    shown = shown_parameters({"a": [{name: "hunter2"}], name: {"b": "hunter2"}})
    assert shown == {"a": [{name: REDACTED}], name: REDACTED}
    assert json.loads(shown_result(json.dumps([{name: 1}, "text"]))) == [{name: REDACTED}, "text"]


def test_what_holds_no_secret_is_shown() -> None:
    """Other keys, and text that is no JSON, are shown as they are."""
    assert shown_parameters({"city": "Kiel", "n": None}) == {"city": "Kiel", "n": None}
    assert shown_result("password: see below") == "password: see below"
    assert shown_result('"a"') == '"a"'
    assert shown_result("") == ""


@pytest.mark.parametrize("character", ["x", "é", "😀", '"', "\x01"])
def test_a_result_on_both_sides_of_its_size(character: str) -> None:
    """A result that just fits is shown whole; one character more, and it is cut within the size."""
    each = json_string_bytes(character) - 2
    fits = character * ((RESULT_BYTES - 2) // each)
    assert shown_result(fits) == fits
    longer = shown_result(fits + character)
    assert longer.endswith("…")
    assert json_string_bytes(longer) <= RESULT_BYTES
    assert fits.startswith(longer[:-1])


def test_cut_says_whether_it_cut() -> None:
    """`cut` tells whether something is missing."""
    assert cut("abc", 5) == ("abc", False)
    assert cut("abcdef", 7) == ("ab…", True)
    assert cut("", 5) == ("", False)


@pytest.mark.parametrize("size", [100, 8_000, 9_000, 100_000])
def test_parameters_fit(size: int) -> None:
    """However long their strings, shown parameters stay within their size, and short ones beside are kept."""
    shown = shown_parameters({"long": "é" * size, "list": ["x" * size] * 3, "short": "kept"})
    assert len(json.dumps(shown, ensure_ascii=False).encode()) <= PARAMETER_BYTES
    assert shown["short"] == "kept"


def test_parameters_that_cannot_be_cut_are_omitted() -> None:
    """Where cutting strings is not enough, only the size is told."""
    shown = shown_parameters({f"name-{n}": n for n in range(5_000)})
    assert list(shown) == ["omitted"]


def test_lone_surrogates_are_replaced() -> None:
    """Lone surrogates become U+FFFD; characters beyond the first plane stay."""
    assert sanitize("a\ud800b😀") == "a\ufffdb😀"
    assert redact({"\ud800": ["\udfff"]}) == {"\ufffd": ["\ufffd"]}


def test_a_tools_answer_can_be_written() -> None:
    """Lone surrogates are replaced in the tool's name and in its result, wherever a model or a tool left them."""
    answer = sanitized_answer(ToolAnswered("c-1", "look\ud83d", "found\ud83d"))
    assert (answer.call_id, answer.name, answer.content) == ("c-1", "look\ufffd", "found\ufffd")


def test_deep_values_are_hinted_at() -> None:
    """What nests too deeply is shown down to a bound, whoever asks."""
    assert shown_result("[" * 300 + "]" * 300) == "[" * 32 + '"…"' + "]" * 32
    for depth in (1_500, 3_000, 200_000):
        assert json_string_bytes(shown_result("[" * depth + "]" * depth)) <= RESULT_BYTES


def test_text_is_split_between_characters() -> None:
    """Pieces joined are the text; each is within the limit; an empty text has none."""
    text = 'aé😀"\n' * 100
    pieces = split_text(text, 20)
    assert "".join(pieces) == text
    assert all(json_string_bytes(piece) <= 20 for piece in pieces)
    assert split_text("", 20) == ()
