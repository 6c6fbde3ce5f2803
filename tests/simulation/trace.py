"""A schedule as people read it."""

import json
import re
from collections.abc import Sequence
from typing import Final

from dayfly.runs.invoker import EngineCall
from dayfly.store.rows import LeaseRow, LogRow, RunRow, ThreadRow
from dayfly.store.table import Action, Check, Delete, Put

_ID: Final = re.compile(r"\b([rt])-[0-9a-z]{26}\b")


def of_actions(actions: Sequence[Action]) -> str:
    """A write in one line."""
    return " + ".join(_of_action(action) for action in actions)


def _of_action(action: Action) -> str:
    when = "" if action.when is None else f" if {action.when}"
    match action:
        case Put(row=LogRow() as row):
            types = ",".join(type_of(text) for text in row.events)
            journal = " journal" if row.journal else ""
            return f"log {row.run_id} {row.first}-{row.last} {types}{journal}{when}"
        case Put(row=LeaseRow() as row):
            return f"lease {row.run_id} {row.state} attempt {row.attempt} from {row.first_seq} due {row.due}{when}"
        case Put(row=ThreadRow() as row):
            return f"thread {row.thread_id} active {row.active_run} queue {list(row.queue)} {row.state}{when}"
        case Put(row=RunRow() as row):
            return f"run {row.run_id} attempt {row.attempt} from {row.first_seq}{when}"
        case Put(row=row):
            return f"put {row.key.sk}{when}"
        case Delete(key=key):
            return f"delete {key.sk}{when}"
        case Check(key=key):
            return f"check {key.sk}{when}"


def type_of(text: str) -> str:
    """An event's type; its encoded form begins with it."""
    return text[9 : text.index('"', 9)]


def of_call(call: EngineCall) -> str:
    """An engine's call in a few words."""
    return f"{call.run_id} attempt {call.attempt} from {call.first_seq}"


def of_frame(frame: bytes) -> str:
    """A frame in a few words."""
    value = json.loads(frame)
    told = [f"{name} {value[name]}" for name in ("run_id", "seq", "last_seq", "id", "code", "status") if name in value]
    return f"{value['type']} {' '.join(told)}"


class Trace:
    """The lines of a schedule, with the ids of runs and threads told short."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._short: dict[str, str] = {}

    def add(self, now: float, who: str, what: str) -> None:
        """One line."""
        line = f"{now:9.3f}  {who:<22} {what}"
        self.lines.append(_ID.sub(self._shortened, line))

    def _shortened(self, found: re.Match[str]) -> str:
        kind = found[1]
        known = sum(1 for short in self._short.values() if short[0] == kind)
        return self._short.setdefault(found[0], f"{kind}{known + 1}")
