"""The table at the end of a campaign."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.figures import quantile
from tests.faults.result import Result


def table(result: Result) -> Iterator[str]:
    """The lines of the summary."""
    ledger = result.ledger
    yield f"runs accepted         {result.played} in {result.took_s:.0f} s, and {len(ledger.admitted) - result.played} to look"
    for kind, outcomes in sorted(result.outcomes.items()):
        yield f"  {kind:<24}{_counts(outcomes)}"
    yield f"environments killed   {_counts(result.deaths) or 'none'} (at work)"
    yield f"faults struck         {sum(result.struck.values())}"
    for kind, count in sorted(result.struck.items()):
        yield f"  {kind:<44}{count:>5}"
    yield f"resumes               {_counts(result.resumes) or 'none'}"
    noticed, going_on = result.recovered.noticed, result.recovered.going_on
    yield f"resumed or ended      {_spread(noticed)}"
    yield f"next engine speaks    {_spread(going_on)}"
    yield f"clients               {_counts(ledger.counts)}"
    words = Counter(_kind(violation) for violation in ledger.violations)
    yield f"lost {words['lost']}, doubled {words['doubled']}, hanging {result.hanging}"
    yield f"promises broken       {len(ledger.violations)}"
    for violation in ledger.violations:
        yield f"  ! {violation}"


def _kind(violation: str) -> str:
    return next((word for word in ("lost", "doubled") if f"{word}:" in violation), "other")


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)


def _spread(values: list[float]) -> str:
    if not values:
        return "nothing to measure"
    return (
        f"after a death: median {quantile(values, 0.5):.2f} s, p95 {quantile(values, 0.95):.2f} s, "
        f"slowest {max(values):.2f} s, {sum(value > 5 for value in values)} of {len(values)} over 5 s"
    )
