"""What the banner, and its line of JSON, say of what is left out and of what differs."""

from __future__ import annotations

import json

from emulator.console.banner import Started, banner
from emulator.console.json_lines import JsonLines
from emulator.console.terminal import Colours
from emulator.contract import Application

STARTED = Started(
    url="http://127.0.0.1:1",
    stages=(),
    application=Application(
        apis=(), functions=(), schedules=(), unsupported=("Web: an HTTP API",), notes=("F: VpcConfig", "F: runs on")
    ),
    took_s=0.1,
)


def test_what_differs_is_not_headed_as_not_supported() -> None:
    """One line each: first what is left out, then the notes."""
    lines = banner(STARTED, Colours(on=False)).splitlines()
    start = lines.index("  not supported: Web: an HTTP API")
    assert lines[start + 1 : start + 3] == ["  note: F: VpcConfig", "  note: F: runs on"]


def test_json_has_them_apart_too() -> None:
    """As two lists of lines."""
    said = json.loads(JsonLines().started(STARTED))
    assert (said["not_supported"], said["notes"]) == (["Web: an HTTP API"], ["F: VpcConfig", "F: runs on"])
