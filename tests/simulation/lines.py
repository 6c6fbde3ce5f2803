"""Who is next in a thread: one run is active, the others wait, interrupts before the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dayfly.store.rows import ThreadRow
from dayfly.store.table import Action, Put
from tests.simulation.truth import Appended, Told, Truth
from tests.simulation.weather import Kind


@dataclass(eq=False)
class Line:
    """A thread's runs, as admission and ending have to order them. `order`: its ended runs, by their ends; `newest`:
    the run admitted last; `begun_after`: for each run, how many had ended when it became active."""

    user: str
    active: str | None = None
    queue: list[str] = field(default_factory=list)
    interrupts: int = 0
    order: list[str] = field(default_factory=list)
    newest: str = ""
    begun_after: dict[str, int] = field(default_factory=dict)
    forgotten: bool = False


class Lines:
    """All threads. Each thread's row must be at every moment what its runs' logs make of it: what is written apart from
    the log is found as soon as it is written."""

    def __init__(self, truth: Truth) -> None:
        self.threads: dict[str, Line] = {}
        self._truth = truth
        truth.listeners.append(self._appended)

    def written(self, actions: Sequence[Action]) -> None:
        """A write has happened."""
        for action in actions:
            if isinstance(action, Put) and isinstance(action.row, ThreadRow):
                self._moved(action.row)

    def of_user(self, user: str) -> list[str]:
        """The user's threads, forgotten ones too, oldest first."""
        return [name for name, line in self.threads.items() if line.user == user]

    def _appended(self, appended: Appended) -> None:
        told = appended.told
        if appended.is_first:
            self._admitted(told)
        line = self.threads[told.thread]
        if appended.actor.kind is Kind.ENGINE and line.active != told.run:
            self._truth.violated(f"{told.run}: {appended.actor.name} writes, but it is the turn of {line.active}")
        if told.terminal is not None:
            self._ended(line, told)

    def _admitted(self, told: Told) -> None:
        line = self.threads.setdefault(told.thread, Line(told.user))
        if line.user != told.user:
            self._truth.violated(f"{told.run}: in another user's thread")
        if line.forgotten:
            self._truth.violated(f"{told.run}: admitted to a forgotten thread")
        if told.run <= line.newest:
            self._truth.violated(f"{told.run}: admitted after {line.newest}, but sorts before it")
        line.newest = told.run
        if line.active is None:
            self._activated(line, told.run)
        elif told.frame.get("if_busy") == "interrupt":
            line.queue.insert(line.interrupts, told.run)
            line.interrupts += 1
        else:
            line.queue.append(told.run)
            if told.frame.get("if_busy") == "reject":
                self._truth.violated(f"{told.run}: admitted to a busy thread, which it did not want")

    def _ended(self, line: Line, told: Told) -> None:
        line.order.append(told.run)
        if told.run == line.active:
            line.active = None
            if line.queue and not line.forgotten:
                self._activated(line, self._left(line, line.queue[0]))
        elif told.run in line.queue:
            self._left(line, told.run)

    def _activated(self, line: Line, run: str) -> None:
        line.active = run
        line.begun_after[run] = len(line.order)

    def given(self, told: Told, texts: list[str]) -> None:
        """An engine gives its agent the thread's earlier messages; these are the users' among them. They must be those
        of the latest runs: of all that had ended when the run became active, and perhaps of some that ended since."""
        line = self.threads[told.thread]
        order = [self._truth.runs[run].frame["text"] for run in line.order]
        before = line.begun_after[told.run]
        ends = range(before, len(order) + 1)
        if not any(order[max(0, end - len(texts)) : end] == texts for end in ends) or (before and not texts):
            self._truth.violated(f"{told.run}: its agent is given {texts} of {order}")

    def _left(self, line: Line, run: str) -> str:
        place = line.queue.index(run)
        del line.queue[place]
        line.interrupts -= place < line.interrupts
        return run

    def _moved(self, row: ThreadRow) -> None:
        line = self.threads.get(row.thread_id)
        if line is None:
            self._truth.violated(f"{row.thread_id}: a thread without a run")
            return
        line.forgotten = line.forgotten or row.state == "forgotten"
        if (row.active_run, list(row.queue)) != (line.active, line.queue):
            is_, must = f"{row.active_run} and {list(row.queue)}", f"{line.active} and {line.queue}"
            self._truth.violated(f"{row.thread_id}: has {is_}, not {must}")
