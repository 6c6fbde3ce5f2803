"""What a run of the benchmarks found: printed as tables, written as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.machine import Machine

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Section:
    """One table. `columns` name their units; a cell without a value is `None`. `findings` are sentences on what is not
    as it must be."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    def text(self) -> str:
        """The table for people."""
        cells = [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        numeric = [any(isinstance(row[place], int | float) for row in self.rows) for place in range(len(self.columns))]
        lines = ["", self.title, ""]
        for number, row in enumerate(cells):
            shown = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True))
            lines.append("  " + "  ".join(shown).rstrip())
            if number == 0:
                lines.append("  " + "  ".join("-" * width for width in widths))
        lines += [f"  * {note}" for note in self.notes]
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """The table for programs: one object a row."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes), "findings": list(self.findings)}


@dataclass(slots=True)
class Report:
    """All tables of one run. `seconds` is what each measure took."""

    taken_at: datetime
    machine: Machine
    sections: list[Section] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, sections: Sequence[Section]) -> None:
        """Takes tables."""
        self.sections.extend(sections)

    @property
    def findings(self) -> list[str]:
        """What is not as it must be, in any table."""
        return [finding for section in self.sections for finding in section.findings]

    def write(self, folder: Path) -> Path:
        """Writes `<timestamp>.json` (UTC) and returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.taken_at:%Y%m%dT%H%M%SZ}.json"
        document = {
            "taken_at": self.taken_at.isoformat(timespec="seconds"),
            "machine": self.machine.document(),
            "seconds": {name: round(took, 1) for name, took in self.seconds.items()},
            "sections": {section.key: section.document() for section in self.sections},
        }
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}" if abs(cell) < 1 else f"{cell:.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
