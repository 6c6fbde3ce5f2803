"""bench.gateway.results: the comparison's table and its places in the documentation."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.gateway.measures import Findings
from bench.gateway.peers import Peer, peers
from bench.gateway.results import Comparison, insert
from bench.gateway.rows import ROWS
from bench.machine import this_machine


def compared(*peers_there: Peer, **findings: Findings) -> Comparison:
    by_name = {peer.name: findings[peer.name.replace("-", "_")] for peer in peers_there}
    return Comparison(
        taken_at=datetime(2026, 11, 22, tzinfo=UTC),
        machine=this_machine(),
        load_after=0.0,
        rounds=2,
        peers=peers_there,
        findings=by_name,
        took_s=1.0,
    )


def two(ours: Findings, theirs: Findings) -> Comparison:
    return compared(*peers()[:2], emulator=ours, serverless_offline=theirs)


def row_of(comparison: Comparison, title: str) -> list[str]:
    line = next(line for line in comparison.table().splitlines() if title in line)
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_every_row_is_reported() -> None:
    """A program that gave no figure has a cell in every row all the same."""
    table = two(Findings(), Findings()).table()
    assert len(table.splitlines()) == len(ROWS) + 2
    assert table.count("failed") == 2 * len(ROWS)


def test_the_median_and_the_ratio_to_ours_are_shown() -> None:
    """Two rounds of 2 and 4 ms are 3 ms, and 6 ms are twice that."""
    comparison = two(Findings({"alone_p50": [2.0, 4.0]}), Findings({"alone_p50": [6.0]}))
    assert row_of(comparison, "round trip p50") == ["**3.00**", "6.00 (× 2)"]


def test_more_is_better_where_the_row_says_so() -> None:
    """Of messages a second the greater figure is the best."""
    comparison = two(Findings({"crowd_rate": [100.0]}), Findings({"crowd_rate": [300.0]}))
    assert row_of(comparison, "messages/s") == ["100", "**300** (× 3)"]


def test_what_went_wrong_is_told_once() -> None:
    """The words of an error stand under the table, not once for each round."""
    theirs = Findings()
    for _ in range(2):
        theirs.failed(("first",), TimeoutError("nothing came"))
    assert two(Findings(), theirs).troubles() == (
        "- serverless-offline, start to first round trip, s: TimeoutError: nothing came"
    )


def test_no_ratio_to_nothing() -> None:
    """Without an error of ours there is nothing to divide by."""
    comparison = two(Findings({"burst_errors": [0.0]}), Findings({"burst_errors": [3.0]}))
    assert row_of(comparison, "at once: errors") == ["**0**", "3"]


def test_a_table_replaces_the_one_before(tmp_path: Path) -> None:
    """Only what stands between the marks changes."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- gateway -->\nold\n<!-- /gateway -->\nafter\n", encoding="utf-8")
    insert(page, "gateway", "new")
    assert page.read_text(encoding="utf-8") == "before\n<!-- gateway -->\nnew\n<!-- /gateway -->\nafter\n"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    """Nothing is written into a page that has no place for it."""
    page = tmp_path / "page.md"
    page.write_text("text\n", encoding="utf-8")
    with pytest.raises(ValueError, match="gateway"):
        insert(page, "gateway", "new")
