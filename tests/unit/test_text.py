"""Text that may come from anywhere."""

import pytest

from dayfly.text import sanitize


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a ☀ 👍", "a ☀ 👍"), ("\ud83d", "\ufffd"), ("a\udc4db", "a\ufffdb"), ("\ud83d\udc4d", "👍"), ("", "")],
)
def test_what_utf8_cannot_hold_is_replaced(text: str, kept: str) -> None:
    """Whole characters stay, also those written as two halves."""
    assert sanitize(text) == kept
