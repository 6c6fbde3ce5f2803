"""Whether whatever an action or an event needs is there. Each failure names the file that was forgotten."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, Literal, Never, get_args, get_type_hints

import pytest

from dayfly.protocol.events import PAYLOADS, AgentStarted, AnyPayload, EventType
from dayfly.protocol.frames import FRAMES, ClientFrame
from dayfly.protocol.replies import Reply
from dayfly.router.registry import HANDLERS, Handler
from scripts.protocol_docs.examples import of_event
from scripts.template_file import load

ROOT = Path(__file__).parents[3]
REDUCER = "web/src/client/summary.ts"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where actions and events are, besides in their models."""

    handlers: Mapping[type[ClientFrame], Handler]
    routes: frozenset[str]
    samples: frozenset[str]
    page: str
    reducer: str


@pytest.fixture(scope="module")
def places() -> Places:
    """As they are."""
    return Places(
        handlers=HANDLERS,
        routes=frozenset(load(ROOT / "template.yaml")["Resources"]["ChatApi"]["Properties"]["Routes"]),
        samples=frozenset(file.stem for file in (ROOT / "events").iterdir()),
        page=(ROOT / "docs/protocol.md").read_text(encoding="utf-8"),
        reducer=(ROOT / REDUCER).read_text(encoding="utf-8"),
    )


def missing_of_action(action: str, frame: type[ClientFrame], places: Places) -> Iterator[str]:
    """What an action lacks, each with the file that it belongs in."""
    if FRAMES.get(action) is not frame:
        yield f"layers/dayfly/dayfly/protocol/frames.py: `{frame.__name__}` is not in `Frame`"
    if "example" not in vars(frame):
        yield f"layers/dayfly/dayfly/protocol/frames.py: `{frame.__name__}` has no `example`"
    if "reply" not in vars(frame):
        yield f"layers/dayfly/dayfly/protocol/frames.py: `{frame.__name__}` names no `reply`"
    elif frame.reply is not None:
        if frame.reply not in get_args(Reply):
            yield f"layers/dayfly/dayfly/protocol/replies.py: `{frame.reply.__name__}` is not in `Reply`"
        if "example" not in vars(frame.reply):
            yield f"layers/dayfly/dayfly/protocol/replies.py: `{frame.reply.__name__}` has no `example`"
    if frame not in places.handlers:
        yield f"layers/dayfly/dayfly/router/registry.py: no handler of `{frame.__name__}`"
    if action not in places.routes:
        yield f"template.yaml: `ChatApi` has no route `{action}`"
    if action not in places.samples:
        yield f"events/{action}.json is not there: run `make docs`"
    if f"\n### {action}\n" not in places.page:
        yield f"docs/protocol.md has no section on `{action}`: run `make docs`"


def missing_of_event(kind: str, payload: type[Any] | None, places: Places) -> Iterator[str]:
    """What a type of event lacks, each with the file that it belongs in."""
    if payload is None or payload not in get_args(AnyPayload):
        yield f"layers/dayfly/dayfly/protocol/events.py: no payload of `{kind}` is in `AnyPayload`"
    else:
        try:
            of_event(payload)
        except ValueError as error:
            yield str(error)
    if f"\n### Event `{kind}`\n" not in places.page:
        yield f"docs/protocol.md has no section on `{kind}`: run `make docs`"
    if not re.search(rf'(?:case|event\.type ===) "{kind}"', places.reducer):
        yield f"{REDUCER}: nothing is done with `{kind}`"


@pytest.mark.parametrize("action", list(FRAMES))
def test_an_action_is_whole(action: str, places: Places) -> None:
    """Each action has its frame, reply, examples, handler, route, sample event and section of the page."""
    missing = list(missing_of_action(action, FRAMES[action], places))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("kind", list(EventType))
def test_an_event_is_whole(kind: EventType, places: Places) -> None:
    """Each type of event has its payload, an example, its section of the page, and a case of the page's reducer."""
    missing = list(missing_of_event(kind, PAYLOADS.get(kind), places))
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("frame", list(HANDLERS), ids=lambda frame: frame.__name__)
def test_a_handler_is_of_its_frame(frame: type[ClientFrame]) -> None:
    """Each handler takes the frame that it is registered for, and gives the reply that the frame names, or nothing
    where it posts that itself; without a reply it never returns."""
    hints = get_type_hints(HANDLERS[frame])
    assert hints["frame"] is frame
    assert hints["return"] in ((Never,) if frame.reply is None else (frame.reply, NoneType))


def test_nothing_is_left_over(places: Places) -> None:
    """No handler, route or reply is without an action, `error` aside, which answers any."""
    assert set(places.handlers) == set(FRAMES.values())
    assert {route for route in places.routes if not route.startswith("$")} == set(FRAMES)
    named = {frame.reply for frame in FRAMES.values() if frame.reply is not None}
    assert {reply.__name__ for reply in get_args(Reply) if reply not in named} == {"Error"}


class Dance(ClientFrame):
    """An action of which there is nothing but this."""

    action: Literal["dance"]


class Danced(AgentStarted):
    """A payload of which there is nothing but this."""

    type: ClassVar[Any] = "agent_danced"


def test_what_an_action_lacks_is_named(places: Places) -> None:
    """Of an action with a model alone every place is named, each with its file."""
    assert list(missing_of_action("dance", Dance, places)) == [
        "layers/dayfly/dayfly/protocol/frames.py: `Dance` is not in `Frame`",
        "layers/dayfly/dayfly/protocol/frames.py: `Dance` has no `example`",
        "layers/dayfly/dayfly/protocol/frames.py: `Dance` names no `reply`",
        "layers/dayfly/dayfly/router/registry.py: no handler of `Dance`",
        "template.yaml: `ChatApi` has no route `dance`",
        "events/dance.json is not there: run `make docs`",
        "docs/protocol.md has no section on `dance`: run `make docs`",
    ]


def test_what_an_event_lacks_is_named(places: Places) -> None:
    """Of an event with a name alone every place is named, each with its file; an example is asked for where there is a
    payload."""
    assert list(missing_of_event("agent_danced", Danced, places)) == [
        "layers/dayfly/dayfly/protocol/events.py: no payload of `agent_danced` is in `AnyPayload`",
        "docs/protocol.md has no section on `agent_danced`: run `make docs`",
        "web/src/client/summary.ts: nothing is done with `agent_danced`",
    ]
    with pytest.raises(ValueError, match=r"scripts/protocol_docs/examples\.py has no event `agent_danced`"):
        of_event(Danced)
