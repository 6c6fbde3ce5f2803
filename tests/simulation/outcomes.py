"""How a run may end, given its program and what befell it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tests.simulation.agents import MISSING
from tests.simulation.functions import LIMITS, RESERVE_S
from tests.simulation.programs import Manner, Program
from tests.simulation.truth import TEXTS, JsonObject, Told

if TYPE_CHECKING:
    from tests.simulation.world import World

LONG: Final = 0.1
WHOLE: Final = 0.4
"""A step that takes this part of an engine's time may not fit after what came before it, which takes that part."""
_SLOW: Final = frozenset({Manner.HANG, Manner.STUBBORN})
_HARM: Final = frozenset({"engine_lost", "engine_timeout"})


def of_outcome(world: "World", told: Told, events: list[JsonObject]) -> Iterator[str]:
    """Says what does not fit: an error without its cause, or an answer that is not the program's."""
    program = Program.of(told.frame["text"])
    if told.frame.get("agent") == MISSING and told.terminal == "agent_completed":
        yield "completed, but its agent is not installed"
    lifetime = world.platform.lifetime_s
    time = lifetime - min(RESERVE_S, lifetime / 4)
    slow = program.manner in _SLOW or (program.longest_s >= LONG * time and program.whole_s >= WHOLE * time)
    harmed = told.run in world.platform.harmed or world.weather.wild
    match told.code:
        case None if told.terminal == "agent_completed":
            yield from _of_answer(program, events)
        case "agent_failed" if program.manner not in {Manner.RAISE, Manner.NOTHING}:
            yield "failed, but its agent does not"
        case "step_too_long" | "tool_outcome_unknown" if not slow and not harmed:
            yield f"ended with {told.code}, but no step is long"
        case "run_too_long" if not slow and not harmed and program.whole_s * 1000 < LIMITS.run_ms / 2:
            yield "took too long, but is short"
        case "unknown_agent" if told.run not in world.platform.unmade:
            yield "its agent is said to be unknown"
        case "could_not_start" if not harmed and not world.platform.hindrances:
            yield "could not start, but nobody died on the way"
        case code if code in _HARM and not harmed:
            yield f"ended with {code}, but nothing befell its engines"
        case _:
            pass


def _of_answer(program: Program, events: list[JsonObject]) -> Iterator[str]:
    """Each response of the program was given once to its end, and each of its calls was made once."""
    if program.manner is not Manner.WELL:
        yield f"completed, but its agent ends with {program.manner}"
    result: str = events[-1]["payload"]["result"]
    if result.count("[") != program.rounds[-1].pieces:
        yield f"answered {result!r}"
    for number, one in enumerate(program.rounds, 1):
        if (order := written_in(events, number)) != one.order:
            yield f"its response {number} came as {order!r}, not {one.order!r}"
    calls = [event["payload"]["tool_name"] for event in events if event["type"] == "tool_completed"]
    planned = [call.tool.value for one in program.rounds for call in one.calls]
    if sorted(calls) != sorted(planned):
        yield f"called {calls}, planned were {planned}"


def written_in(events: list[JsonObject], number: int) -> str:
    """What a client holds of one response: the first letter of each piece, of text and reasoning in their order. A
    piece in an event of the other kind is told by an `!`."""
    kept: list[tuple[int, str]] = []
    step = 0
    for event in events:
        kind, payload = event["type"], event["payload"]
        if kind == "agent_thinking":
            step = payload["step_number"]
            kept = [] if step == number else kept
        elif kind in TEXTS and step == number:
            other = "(" if kind == "agent_delta" else "["
            kept.append((event["seq"], re.sub(r"[^\[(]", "", payload["text"]).replace(other, "!")))
        elif kind in {"agent_resumed", "agent_retrying"} and "discard_after" in payload:
            kept = [piece for piece in kept if piece[0] <= payload["discard_after"]]
    return "".join(text for _, text in kept)
