"""Control characters, made visible: what a function prints shall not move the cursor of whoever reads."""

from __future__ import annotations

# C0 but for tab and line end, DEL, and C1 (ECMA-48).
_HIDDEN = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}
_HIDDEN_IN_JSON = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def visible(text: str) -> str:
    """The text with `\\x1b` for ESC and so on."""
    return text.translate(_HIDDEN)


def visible_json(document: str) -> str:
    """A JSON document that escapes what JSON allows to stand as it is (RFC 8259 section 7), DEL and C1."""
    return document.translate(_HIDDEN_IN_JSON)
