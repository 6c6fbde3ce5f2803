"""`docs/emulator.md` says what is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from emulator.faults.limits import AllLimits, LimitControl, parse_change
from emulator.faults.models import Action, StandingFault, parse_fault, parse_standing

TEXT = (Path(__file__).parents[3] / "docs/emulator.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", TEXT, re.MULTILINE))


def test_the_tables_name_every_fault_with_its_fields() -> None:
    """Each kind of the union has a row, with the fields that are not common to all."""
    for model in (*get_args(StandingFault), *get_args(Action)):
        own = set(model.model_fields) - {"kind", "count", "duration_s"}
        assert set(re.findall(r"`(\w+)`", ROWS[model.model_fields["kind"].default])) == own


def test_the_table_names_every_limit_with_its_default() -> None:
    """As the class of limits has it."""
    for name, value in AllLimits().figures().items():
        assert float(ROWS[name]) == value


async def test_the_examples_are_accepted() -> None:
    """Every JSON body that is shown can be sent, every fault that is shown can stand."""
    bodies = re.findall(r"-d '(.*)'", TEXT)
    limits = [body for body in bodies if "limits" in json.loads(body)]
    control = LimitControl(AllLimits())
    for body in limits:
        control.change(parse_change(body.encode()))
    control.clear()
    faults = [parse_fault(body) for body in bodies if body not in limits]
    options = [parse_standing(text) for text in re.findall(r"--fault '(.*)'", TEXT)]
    assert (len(limits), len(faults), len(options)) == (1, 1, 1)
