"""What came of a campaign."""

from collections import Counter
from dataclasses import dataclass, field

from tests.live.campaign.figures import Recovery
from tests.live.kit.ledger import Ledger


@dataclass
class Result:
    """`outcomes`: by kind of run, how many ended how. `deaths`: environments killed while they worked, by function."""

    ledger: Ledger
    played: int = 0
    """Runs that were accepted while faults struck; those of the inquest come on top."""
    took_s: float = 0.0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    resumes: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    recovered: list[Recovery] = field(default_factory=list)
    disturbed: list[tuple[float, str]] = field(default_factory=list)
    """When something was injected that hinders recovery itself, and what."""
    hanging: int = 0

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        return not self.ledger.violations and not self.hanging
