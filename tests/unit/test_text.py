"""Text that may come from anywhere."""

import pytest

from dayfly import text as text_module
from dayfly.text import cut, json_string_bytes, sanitize, shortened, split_text


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a ☀ 👍", "a ☀ 👍"), ("\ud83d", "\ufffd"), ("a\udc4db", "a\ufffdb"), ("\ud83d\udc4d", "👍"), ("", "")],
)
def test_what_utf8_cannot_hold_is_replaced(text: str, kept: str) -> None:
    """Whole characters stay, also those written as two halves."""
    assert sanitize(text) == kept


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that are measured."""
    lengths: list[int] = []

    def counting(text: str) -> int:
        lengths.append(len(text))
        return json_string_bytes(text)

    monkeypatch.setattr(text_module, "json_string_bytes", counting)
    return lengths


def test_cutting_looks_at_no_more_than_fits(measured: list[int]) -> None:
    """A text of ten million characters costs no more than one that is a little too long."""
    short, long = "x" * 9_000, "x" * 10_000_000
    assert cut(short, 8_192) == cut(long, 8_192)
    assert max(measured) <= 8_193
    assert sum(measured) < 2 * 20 * 8_192


def test_splitting_measures_each_character_a_few_times(measured: list[int]) -> None:
    """The work grows with the text's length, not with its square."""
    assert "".join(split_text("x" * 200_000, 1_000)) == "x" * 200_000
    assert sum(measured) < 15 * 200_000


@pytest.mark.parametrize("text", ["\ud83d\udc4d" * 50, "\u0001" * 50, "x" * 50, "ä\ud800" * 25])
@pytest.mark.parametrize("limit", [20, 21, 22, 23, 24, 60, 101, 102, 103])
def test_a_text_that_is_cut_is_as_long_as_it_may_be(text: str, limit: int) -> None:
    """The ellipsis included it fits, one character more would not; a text that fits stays whole."""
    whole = sanitize(text)
    shown, truncated = cut(text, limit)
    assert json_string_bytes(shown) <= limit
    if not truncated:
        assert shown == whole
        return
    kept = shown.removesuffix("…")
    assert whole.startswith(kept)
    assert json_string_bytes(whole) > limit
    assert json_string_bytes(whole[: len(kept) + 1] + "…") > limit


@pytest.mark.parametrize("char", ["x", "é", "日", "😀"])
def test_shortened_text_keeps_head_and_tail(char: str) -> None:
    """Within the limit, without a torn character, and with a note between; what fits stays as it is."""
    text = f"HEAD{char * 5000}TAIL"
    size = len(text.encode())
    assert shortened(text, size) == text
    for limit in (size - 1, 1000, 201):
        cut_text = shortened(text, limit)
        assert len(cut_text.encode()) <= limit
        assert "�" not in cut_text
        assert cut_text.startswith("HEAD")
        assert cut_text.endswith("TAIL")
        assert "bytes left out" in cut_text
