"""What the soak found."""

from __future__ import annotations

from dataclasses import dataclass

from bench.report import Section
from bench.soak.ledger import Ledger
from bench.soak.memory import Growth, Memory
from bench.soak.plan import Plan
from bench.soak.program import Program


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`died`: connections that ended without the client's doing; `opened_s`: until all were open."""

    plan: Plan
    ledger: Ledger
    memory: Memory
    program: Program
    opened_s: float
    died: int

    def violations(self) -> list[str]:
        """One line each; none if all is well."""
        found = [f"{count} {kind} messages lost" for kind, count in self.ledger.lost().items()]
        found += [f"{count} messages {what}" for what, count in self.ledger.wrong.items()]
        found += [f"{count} x {trouble}" for trouble, count in self.program.troubles.most_common()]
        if self.died:
            found.append(f"{self.died} connections ended by themselves")
        if self.program.returned != 0:
            found.append(f"the emulator ended with {self.program.returned}")
        for name, growth, allowed in self._growths():
            if growth is None:
                found.append(f"{name}: no samples")
            elif growth.change > allowed:
                found.append(f"{name}: {growth.first:.1f} grew to {growth.last:.1f}, more than {allowed:g} allowed")
        return found

    def sections(self) -> list[Section]:
        """The tables."""
        ledger = self.ledger
        waits = sorted(ledger.waits_s)
        traffic = tuple(
            (kind, ledger.sent[kind], ledger.arrived[kind], ledger.lost()[kind]) for kind in sorted(ledger.sent)
        )
        notes = (
            f"{self.plan.connections} connections, open after {self.opened_s:.1f} s, "
            f"{self.plan.duration_s:g} s of traffic",
            f"there and back: p50 {_at(waits, 0.5) * 1000:.0f} ms, p99 {_at(waits, 0.99) * 1000:.0f} ms, "
            f"slowest {_at(waits, 1) * 1000:.0f} ms",
            f"{sum(self.program.outcomes.values())} invocations, {self.program.cold_starts} of them cold",
        )
        rows = tuple(
            (name, *((None,) * 4 if growth is None else _row(growth)), allowed)
            for name, growth, allowed in self._growths()
        )
        columns = ("what", "first third", "last third", "change", "an hour", "allowed")
        return [
            Section("soak", "Messages", ("kind", "sent", "arrived", "lost"), traffic, notes),
            Section("growth", "After the warm-up", columns, rows),
        ]

    def _growths(self) -> list[tuple[str, Growth | None, float]]:
        since, plan, of = self.plan.warm_up_s, self.plan, self.memory.of
        found: list[tuple[str, Growth | None, float]] = [
            ("emulator, MB", of(lambda each: each.emulator_mb, since_s=since), plan.emulator_growth_mb),
            ("one environment, MB", self.memory.of_environments(since_s=since), plan.environment_growth_mb),
        ]
        if any(each.files for each in self.memory.samples):
            # Environments and connections to them come and go.
            found.append(("open descriptors", of(lambda each: each.files, since_s=since), 40.0))
        return found


def _row(growth: Growth) -> tuple[float, float, float, float]:
    return round(growth.first, 1), round(growth.last, 1), round(growth.change, 1), round(growth.per_hour, 1)


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else 0.0
