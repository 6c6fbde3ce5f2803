"""The life of an engine."""

from enum import StrEnum
from typing import Final

from dayfly.errors import EngineClosed, IllegalTransition


class EngineState(StrEnum):
    """`NEW` → `RUNNING` → `ENDED` → `CLOSED`; every state may be closed."""

    NEW = "new"
    RUNNING = "running"
    ENDED = "ended"
    CLOSED = "closed"


_NEXT: Final = {
    EngineState.NEW: {EngineState.RUNNING, EngineState.CLOSED},
    EngineState.RUNNING: {EngineState.ENDED, EngineState.CLOSED},
    EngineState.ENDED: {EngineState.CLOSED},
    EngineState.CLOSED: set[EngineState](),
}


def moved(state: EngineState, to: EngineState) -> EngineState:
    """The next state. Raises `EngineClosed` from a closed engine, `IllegalTransition` for a step that is not there."""
    if to in _NEXT[state]:
        return to
    if state is EngineState.CLOSED:
        raise EngineClosed("the engine is closed; an engine lives for one run")
    raise IllegalTransition(f"an engine that is {state} cannot become {to}")
