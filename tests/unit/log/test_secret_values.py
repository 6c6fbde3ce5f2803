"""Known secrets are removed from text."""

import json
from urllib.parse import quote, urlencode

import pytest

from dayfly.log.secret_values import LEAST_CHARS, RedactedStream, SecretValues

KEY = "sk_live_51Habc"
RFC_3986 = "!$&'()*+,;=:@/?"
"""What may stand in a query as it is."""


def knowing(*values: str) -> SecretValues:
    known = SecretValues()
    assert all(known.add(value) for value in values)
    return known


@pytest.mark.parametrize(
    "value", [KEY, 'a"quoted\\secret', "line one\nline two", "pass word&=/+", "pässwörd-世界", "12345678", "(.*)+[a-z]"]
)
def test_a_value_is_found_in_each_spelling(value: str) -> None:
    """As it is, in JSON, in JSON within JSON, and in a URL; what stands around it stays."""
    known = knowing(value)
    inner = json.dumps({"key": value})
    for text in (
        f"<{value}>",
        inner,
        json.dumps({"key": value}, ensure_ascii=False),
        json.dumps({"body": inner}),
        f"https://shop.example/?{urlencode({'key': value})}",
        f"https://shop.example/{quote(value, safe='')}",
        f"https://shop.example/{quote(value)}",
        f"https://shop.example/?key={quote(value, safe=RFC_3986)}",
    ):
        redacted = known.redact(text)
        assert value not in redacted
        assert "[redacted]" in redacted
        assert redacted.replace("[redacted]", value, 1) == text or len(redacted) < len(text) + 10
    assert json.loads(known.redact(inner)) == {"key": "[redacted]"}
    assert known.redact("harmless") == "harmless"


def test_short_values_are_not_looked_for() -> None:
    """Eight characters are looked for, seven are not, and the caller is told so."""
    assert LEAST_CHARS == 8
    known = SecretValues()
    assert known.add("12345678")
    assert not known.add("abcdefg")
    assert known.redact("12345678 abcdefg 1234567") == "[redacted] abcdefg 1234567"


def test_a_rotated_value_stays_known() -> None:
    """Both the old and the new one are removed, the longer of two that begin alike as a whole."""
    known = knowing("first-secret", "first-secret-2")
    assert known.redact("first-secret, first-secret-2.") == "[redacted], [redacted]."


def test_values_within_json() -> None:
    """Texts, names and whole numbers are redacted, everything else stays as it is."""
    known = knowing("12345678", KEY)
    value = {"a": [f"x {KEY}", 12345678, 1234567, True, None, 1.5], KEY: {"deep": KEY}}
    assert known.redact_json(value) == {  # type: ignore[arg-type]
        "a": ["x [redacted]", "[redacted]", 1234567, True, None, 1.5],
        "[redacted]": {"deep": "[redacted]"},
    }
    assert json.loads(known.redact_json_text('{"pin": 12345678}')) == {"pin": "[redacted]"}
    assert known.redact_json_text(f"no JSON: {KEY}") == "no JSON: [redacted]"


def test_json_may_nest_and_count_without_end() -> None:
    """What nests too deep to be shown is left out; a number without a text stays."""
    nested: list[object] = []
    for _ in range(10_000):
        nested = [nested]
    known = knowing(KEY)
    assert known.redact_json(nested)  # type: ignore[arg-type]
    assert known.redact_json(10**5000) == 10**5000
    assert known.redact_json_text("[" * 100_000 + KEY) == "[" * 100_000 + "[redacted]"


@pytest.mark.parametrize("size", range(1, len(KEY) + 3))
def test_a_value_that_comes_in_pieces_is_found(size: int) -> None:
    """However a text is cut, its pieces together are the redacted text, and none shows a part of the secret."""
    text = f"The key is {KEY}, and sk_li is not, nor sk_live_51Hab."
    stream = RedactedStream(knowing(KEY))
    shown = [stream.take(text[place : place + size]) for place in range(0, len(text), size)]
    assert "".join((*shown, stream.rest())) == text.replace(KEY, "[redacted]")
    assert stream.rest() == ""


def test_without_secrets_nothing_is_held_back() -> None:
    """A run that has read none shows each piece at once, as it is."""
    stream = RedactedStream(SecretValues())
    assert [stream.take(piece) for piece in ("a", "", "sk_")] == ["a", "", "sk_"]
    assert stream.rest() == ""
