"""What `docs/guarantees.md` names as proof is there, and what is proven on purpose is named."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ROOT / "tests"
NAME: Final = re.compile(r"`([^`]+)`")


def table() -> list[list[list[str]]]:
    """The names in each cell of each row, without the promise's own."""
    lines = (ROOT / "docs/guarantees.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]
    return [[NAME.findall(cell) for cell in cells[1:]] for cells in rows]


def column(place: int) -> set[str]:
    return {name for row in table() for name in row[place]}


def defined(path: Path) -> set[str]:
    """The functions and methods of a module, as `function` and `Class.method`."""
    if not path.exists():
        return set()
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


def missing(names: set[str], folder: Path) -> Iterator[str]:
    for name in names:
        module, _, function = name.partition(".")
        if function not in defined(folder / f"{module}.py"):
            yield name


def variants() -> set[str]:
    """All ways in which the core is broken on purpose."""
    whole = "".join(path.read_text() for path in (TESTS / "simulation/variants").glob("*.py"))
    return {"nonce_without_ordinal", *re.findall(r"^    Broken\((\w+)", whole, re.MULTILINE)}


def test_every_promise_has_all_three_proofs() -> None:
    """Each row names an invariant, a variant that shows that it can fail, and a test with real faults."""
    assert len(table()) == 14
    assert all(len(row) == 3 and all(row) for row in table())


def test_the_invariants_are_there() -> None:
    """Each is a function of the simulation."""
    assert not list(missing(column(0), TESTS / "simulation"))


def test_the_variants_are_there_and_all_are_named() -> None:
    """Those in the table are those that the simulation is shown to find."""
    assert column(1) == variants()


def test_the_real_faults_are_there() -> None:
    """Each is a test."""
    names = column(2)
    for folder in ("e2e", "models"):
        there = {name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")}
        assert there
        assert not list(missing(there, TESTS / "live" / folder))
    assert not list(missing({name for name in names if "/" not in name}, TESTS / "live/faults"))
