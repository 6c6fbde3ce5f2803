"""The table at the end of a campaign."""

from collections import Counter
from collections.abc import Iterator

from tests.live.campaign.figures import Recovery, quantile
from tests.live.campaign.result import Result

PROMISED_S = 5.0
HINDERED_S = 60.0


def table(result: Result) -> Iterator[str]:
    """The lines of the summary."""
    ledger = result.ledger
    looking = len(ledger.admitted) - result.played
    yield f"runs accepted         {result.played} in {result.took_s:.0f} s, and {looking} to look"
    for kind, outcomes in sorted(result.outcomes.items()):
        yield f"  {kind:<24}{_counts(outcomes)}"
    yield f"environments killed   {_counts(result.deaths) or 'none'} (at work)"
    yield f"faults struck         {sum(result.struck.values())}"
    for kind, count in sorted(result.struck.items()):
        yield f"  {kind:<44}{count:>5}"
    yield f"resumes               {_counts(result.resumes) or 'none'}"
    yield f"resumed or ended      {_spread([one.noticed_s for one in result.recovered])}"
    spoke = [one.spoke_s for one in result.recovered if one.spoke_s is not None]
    yield f"next engine speaks    {_spread(spoke)}"
    for recovery in result.recovered:
        if recovery.noticed_s > PROMISED_S:
            yield f"  {recovery.run_id} waited {recovery.noticed_s:.1f} s: {_hindrances(result, recovery)}"
    yield f"clients               {_counts(ledger.counts)}"
    words = Counter(_kind(violation) for violation in ledger.violations)
    yield f"lost {words['lost']}, doubled {words['doubled']}, hanging {result.hanging}"
    yield f"promises broken       {len(ledger.violations)}"
    for violation in ledger.violations:
        yield f"  ! {violation}"


def _kind(violation: str) -> str:
    return next((word for word in ("lost", "doubled") if f"{word}:" in violation), "other")


def _hindrances(result: Result, recovery: Recovery) -> str:
    """What recovery itself was up against. A fault waits for its moment: it may have been injected some time before."""
    begin = recovery.died - HINDERED_S
    found = Counter(name for at, name in result.disturbed if begin <= at <= recovery.noticed)
    return _counts(found) or "nothing hindered recovery"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)


def _spread(values: list[float]) -> str:
    if not values:
        return "nothing to measure"
    return (
        f"after a death: median {quantile(values, 0.5):.2f} s, p95 {quantile(values, 0.95):.2f} s, "
        f"slowest {max(values):.2f} s, {sum(value > PROMISED_S for value in values)} of {len(values)} over 5 s"
    )
