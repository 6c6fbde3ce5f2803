"""`python -m bench.gateway`: the emulator beside its peers, and what becomes of a message's time.

Prints Markdown, writes `bench/results/gateway.json`, and with `--docs` the tables of docs/benchmarks.md and README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.gateway.measures import Findings, cold, warm
from bench.gateway.peers import Peer, peers
from bench.gateway.profile import Profile, profile
from bench.gateway.program import DidNotStart
from bench.gateway.results import Comparison, insert, write_json
from bench.gateway.rows import FRONT, ROWS
from bench.machine import ROOT, this_machine


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, writes."""
    every = {peer.name: peer for peer in peers()}
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=every, default=list(every), help="these programs alone")
    parser.add_argument("--rounds", type=int, default=2, help="how often everything is measured (%(default)s)")
    parser.add_argument("--docs", action="store_true", help="write the tables into the documentation")
    given = parser.parse_args(arguments)
    if given.docs and len(given.only) < len(every):
        parser.error("--docs wants all programs")
    comparison = _compare([every[name] for name in given.only], given.rounds)
    _say("the way of one message")
    parts = profile()
    path = ROOT / "bench/results/gateway.json"
    write_json(path, comparison.document(), {"profile": parts.document()})
    print(f"{comparison.about()}\n\n{comparison.table()}\n\n{comparison.troubles()}\n\n{parts.text()}\n")
    _say(f"written to {path.relative_to(ROOT)}")
    if given.docs:
        _document(comparison, parts)
    return 0


def _compare(chosen: Sequence[Peer], rounds: int) -> Comparison:
    installed: dict[str, Path] = {}
    findings = {peer.name: Findings() for peer in chosen}
    for peer in chosen:
        _say(f"install {peer.name}")
        try:
            installed[peer.name] = peer.install()
        except DidNotStart as error:
            findings[peer.name].failed(tuple(row.key for row in ROWS), error)
    taken_at, machine, began = datetime.now(UTC), this_machine(), time.monotonic()
    for number in range(rounds):
        for title, measure in (("cold", cold), ("warm", warm)):
            for peer in chosen:
                if peer.name in installed:
                    _say(f"round {number + 1}: {peer.name}, {title}")
                    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as scratch:
                        uvloop.run(measure(peer, installed[peer.name], Path(scratch), findings[peer.name]))
    return Comparison(
        taken_at=taken_at,
        machine=machine,
        load_after=round(os.getloadavg()[0], 2),
        rounds=rounds,
        peers=tuple(chosen),
        findings=findings,
        took_s=time.monotonic() - began,
    )


def _document(comparison: Comparison, parts: Profile) -> None:
    page = ROOT / "docs/benchmarks.md"
    insert(page, "gateway", f"{comparison.about()}\n\n{comparison.table()}\n\n{comparison.troubles()}")
    insert(page, "gateway-profile", parts.text())
    front = [row for row in ROWS if row.key in FRONT]
    insert(ROOT / "README.md", "gateway", comparison.table(front))


def _say(text: str) -> None:
    sys.stderr.write(f"· {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
