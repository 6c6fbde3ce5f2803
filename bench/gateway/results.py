"""The comparison as JSON and as Markdown, and its places in the documentation."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.gateway.measures import Findings
from bench.gateway.peers import OURS, Peer
from bench.gateway.rows import ROWS, Key, Row
from bench.machine import Machine


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run of everything."""

    taken_at: datetime
    machine: Machine
    load_after: float
    rounds: int
    peers: tuple[Peer, ...]
    findings: Mapping[str, Findings]
    took_s: float

    def figure(self, peer: str, key: Key) -> float | None:
        """The median over the rounds, or None if no round gave a figure."""
        figures = self.findings[peer].figures.get(key)
        return statistics.median(figures) if figures else None

    def ratio(self, peer: str, key: Key) -> float | None:
        """The peer's figure over ours."""
        theirs, ours = self.figure(peer, key), self.figure(OURS, key)
        return theirs / ours if theirs is not None and ours else None

    def table(self, rows: Sequence[Row] = ROWS) -> str:
        """A Markdown table: the figure and its ratio to ours; the best of each row is bold."""
        names = [peer.name for peer in self.peers]
        lines = ["| " + " | ".join(("", *names)) + " |", "|---" + "|---:" * len(names) + "|"]
        for row in rows:
            best = self._best(row)
            lines.append("| " + " | ".join((row.title, *(self._cell(row, name, best) for name in names))) + " |")
        return "\n".join(lines)

    def about(self) -> str:
        """When, on what, and what is compared."""
        machine = self.machine
        settings = "; ".join(f"{peer.name} ({peer.version}): {peer.settings}" for peer in self.peers)
        return (
            f"Taken on {self.taken_at:%d %B %Y} at {machine.commit or 'no commit'}: {machine.system} on "
            f"{machine.processor}, {machine.cores} cores, Python {machine.python}, load {machine.load} before and "
            f"{self.load_after} after; medians, rounds: {self.rounds}. {settings}."
        )

    def troubles(self) -> str:
        """What went wrong, one line each, with the words of whoever said it."""
        lines = [
            f"- {peer.name}, {row.title}: {' '.join(text.split())[:300]}"
            for peer in self.peers
            for row in ROWS
            for text in dict.fromkeys(self.findings[peer.name].troubles.get(row.key, ()))
        ]
        return "\n".join(lines) or "Nothing failed."

    def document(self) -> dict[str, object]:
        """Everything, unrounded."""
        return {
            "taken_at": self.taken_at.isoformat(timespec="seconds"),
            "machine": self.machine.document(),
            "load_after": self.load_after,
            "seconds": round(self.took_s, 1),
            "rounds": self.rounds,
            "peers": {peer.name: {"version": peer.version, "settings": peer.settings} for peer in self.peers},
            "rows": [
                {
                    "key": row.key,
                    "title": row.title,
                    "better": row.better,
                    "median": {peer.name: self.figure(peer.name, row.key) for peer in self.peers},
                    "ratio": {peer.name: self.ratio(peer.name, row.key) for peer in self.peers},
                    "all": {peer.name: self.findings[peer.name].figures.get(row.key, []) for peer in self.peers},
                    "troubles": {peer.name: self.findings[peer.name].troubles.get(row.key, []) for peer in self.peers},
                }
                for row in ROWS
            ],
        }

    def _best(self, row: Row) -> float | None:
        figures = [figure for peer in self.peers if (figure := self.figure(peer.name, row.key)) is not None]
        if row.better is None or not figures:
            return None
        return min(figures) if row.better == "less" else max(figures)

    def _cell(self, row: Row, peer: str, best: float | None) -> str:
        figure = self.figure(peer, row.key)
        if figure is None:
            return "failed"
        text = f"{figure:,.{row.digits}f}"
        text = f"**{text}**" if figure == best else text
        ratio = None if peer == OURS else self.ratio(peer, row.key)
        return text if ratio is None else f"{text} (× {ratio:.2g})"


def write_json(path: Path, *parts: Mapping[str, object]) -> None:
    """Writes these objects as one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {name: value for part in parts for name, value in part.items()}
    path.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def insert(page: Path, mark: str, text: str) -> None:
    """Replaces what stands between a page's `<!-- mark -->` and `<!-- /mark -->`. Raises `ValueError` without them."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, there, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not there or not ends:
        raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
