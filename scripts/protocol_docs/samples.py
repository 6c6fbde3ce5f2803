"""The sample event of each action: API Gateway's own, as `events/default.json` has it, with the example as body."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dayfly.protocol.frames import FRAMES

ROOT: Final = Path(__file__).parents[2]


def sample_events() -> Iterator[tuple[str, str]]:
    """Path from the repository's root to text, one for each action. The event of `$default`, which no action has, was
    written by hand."""
    event = json.loads((ROOT / "events/default.json").read_text(encoding="utf-8"))
    for action, frame in FRAMES.items():
        context = {**event["requestContext"], "routeKey": action}
        sample = {**event, "requestContext": context, "body": json.dumps(frame.example, ensure_ascii=False)}
        yield f"events/{action}.json", json.dumps(sample, indent=2, ensure_ascii=False) + "\n"
