"""Deviations must fail where the target is an emulator; facts that only an emulator can show stay away from AWS."""

from __future__ import annotations

import pytest

from tests.emulator.conformance.facts import fact_of
from tests.emulator.conformance.target import ADDRESS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the deviations; take out what a deployed stack cannot be asked."""
    kept: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        fact = fact_of(item)
        if fact is not None and fact.deviation is not None and not ADDRESS:
            item.add_marker(pytest.mark.xfail(strict=True, reason=fact.deviation))
        (out if fact is not None and fact.local is not None and ADDRESS else kept).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = kept
