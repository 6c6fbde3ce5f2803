"""What happened in a campaign: counted, and held against the promises at the end."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Admitted:
    """A run that a client was told is accepted. `kind` is the scenario that asked for it."""

    run_id: str
    thread_id: str
    user: str
    request_id: str
    kind: str
    expects: str = ""
    """What the answer of a completed run holds."""


@dataclass
class Ledger:
    """Shared by all clients of a campaign."""

    admitted: dict[str, Admitted] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    """Threads that their users wanted to be forgotten."""
    counts: Counter[str] = field(default_factory=Counter)
    """How often something happened to clients: reconnects, resends, attaches."""

    def admit(self, admitted: Admitted) -> None:
        """Notes an accepted run; a request that was given two runs is a violation."""
        for other in self.admitted.values():
            if (other.user, other.request_id) == (admitted.user, admitted.request_id) and other != admitted:
                self.violate(f"request {admitted.request_id} of {admitted.user} became {other.run_id} and then another")
        self.admitted[admitted.run_id] = admitted

    def violate(self, what: str) -> None:
        """Notes that a promise was broken."""
        self.violations.append(what)
