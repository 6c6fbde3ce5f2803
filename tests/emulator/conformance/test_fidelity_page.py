"""docs/fidelity.md tells what the tests check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts import fidelity_docs

ROOT = Path(__file__).parents[3]


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    """`make docs` would write the page as it stands."""
    code = (
        "import sys, pathlib; from scripts.fidelity_docs import collected, page; "
        "pathlib.Path(sys.argv[1]).write_text(page(collected()), 'utf-8')"
    )
    written = tmp_path / "fidelity.md"
    subprocess.run([sys.executable, "-c", code, str(written)], cwd=ROOT, check=True, timeout=60)
    assert written.read_text("utf-8") == fidelity_docs.PAGE.read_text("utf-8"), "run `make docs`"
