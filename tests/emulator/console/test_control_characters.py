"""Control characters."""

from __future__ import annotations

import json

from emulator.console.terminal import visible, visible_json

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]


def test_only_tab_and_line_end_stay() -> None:
    """All others are told by their number; letters of any language are as they were."""
    assert [each for each in CONTROLS if visible(each) == each] == ["\t", "\n"]
    assert visible("\x1b[31m rød 漢\x00") == r"\x1b[31m rød 漢\x00"


def test_json_stays_the_same_document() -> None:
    """Only its spelling changes."""
    text = "".join(CONTROLS)
    shown = visible_json(json.dumps(text, ensure_ascii=False))
    assert shown.isprintable()
    assert json.loads(shown) == text
