"""What `docs/architecture.md` says of the code is so: its names, rooms, states, rows and figures."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final, get_args

import pytest

from dayfly.runs import state
from dayfly.store.rows import Row
from tests.contract.rows import one_of_every_kind
from tests.unit.test_guarantees import variants

ROOT: Final = Path(__file__).parents[2]
LIBRARY: Final = ROOT / "layers/dayfly/dayfly"
PAGE: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
IMAGINED: Final = {"router/pin.py", "events/pin.json"}
"""Files of the page's example."""
CODE: Final = re.compile(r"`([^`\n]+)`")
NAMED: Final = re.compile(r"((?:[\w.-]+/)*[\w-]+\.py): (\w+(?:\.\w+)?)")
PATH: Final = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|yaml)")


def section(title: str) -> str:
    """The text below a heading, down to the next of its level or a higher one."""
    mark = re.search(rf"^(#+) {re.escape(title)}$", PAGE, re.MULTILINE)
    assert mark, title
    rest = PAGE[mark.end() :]
    end = re.search(rf"^#{{1,{len(mark[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows_of(text: str) -> list[list[str]]:
    """The cells of the first table in the text, without its head."""
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    lines = table[0].splitlines() if table else []
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def file_of(path: str) -> Path:
    """Where a path of the page leads: into the library, or from the root."""
    return LIBRARY / path if (LIBRARY / path).exists() else ROOT / path


def names_in(path: Path) -> set[str]:
    """What a module defines, and what its classes do, as `name` and `Class.name`."""
    return set(_defined(ast.parse(path.read_text(encoding="utf-8")).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.ClassDef(name=name, body=inner):
                yield prefix + name
                if not prefix:
                    yield from _defined(inner, f"{name}.")
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield prefix + name


def docstring_of(package: Path) -> str:
    whole = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    return whole.partition("\n\n")[0]


def packages() -> dict[str, Path]:
    """Every package of the library by its path, with a slash behind."""
    found = (init.parent for init in LIBRARY.rglob("__init__.py") if init.parent != LIBRARY)
    return {f"{package.relative_to(LIBRARY)}/": package for package in found}


def plans() -> dict[str, tuple[Path, str]]:
    """The transitions: classes of `runs` with a `plan`, by the way the page names them."""
    return {
        f"runs/{path.name}: {name.removesuffix('.plan')}": (path, name.removesuffix(".plan"))
        for path in (LIBRARY / "runs").glob("*.py")
        for name in names_in(path)
        if name.endswith(".plan")
    }


def planned_by(path: Path, name: str) -> set[str]:
    """The names of the actions that a transition plans: the keys of its dictionaries of actions."""
    cls = next(n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef) and n.name == name)
    plan = next(n for n in cls.body if isinstance(n, ast.AsyncFunctionDef) and n.name == "plan")
    keys: list[ast.expr | None] = []
    for node in ast.walk(plan):
        match node:
            case ast.Dict():
                keys += node.keys
            case ast.Subscript(slice=key, ctx=ast.Store()):
                keys.append(key)
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def test_every_name_exists() -> None:
    """What is written as `path/file.py: name` is defined there."""
    spans = [code for code in CODE.findall(PAGE) if ".py:" in code]
    assert len(spans) > 100
    assert not [code for code in spans if not NAMED.fullmatch(code)]
    named = [code.split(": ") for code in spans]
    there = {path: names_in(file_of(path)) if file_of(path).exists() else set() for path, _ in named}
    assert not [(path, name) for path, name in named if name not in there[path]]


def test_a_name_that_is_not_there_is_found_missing() -> None:
    """Methods, constants, fields and members of enums count as there; what is imported or made up does not."""
    there = names_in(LIBRARY / "store/rows.py")
    assert {"LeaseRow", "LeaseRow.key", "LeaseRow.due", "LeaseState.HELD", "QUEUE_LENGTH", "Row"} <= there
    assert not {"LeaseRow.nothing", "Final", "end_run"} & there


def test_every_path_exists() -> None:
    """Every file and folder that the page speaks of is there."""
    paths = {code for code in CODE.findall(PAGE) if PATH.fullmatch(code)} - IMAGINED
    assert len(paths) > 40
    assert not [path for path in paths if not file_of(path).exists()]


def test_every_link_leads_somewhere() -> None:
    """Links go to headings of this page or to files."""
    titles = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        assert anchor in slugs if not path else (ROOT / "docs" / path).exists(), target


def test_the_picture_has_the_layers() -> None:
    """The rooms stand in the picture line by line as import-linter holds them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    picture = section("The rooms").partition("```\n")[2].partition("```")[0]
    drawn = [set(re.findall(r"[a-z]+", line)) for line in picture.splitlines()[1:]]
    assert [names for names in drawn if names] == [set(layer.split(" | ")) for layer in layers]


def test_every_package_is_in_the_table() -> None:
    """Each with the sentence that its docstring begins with."""
    told = {CODE.findall(cells[0])[0]: cells[1] for cells in rows_of(section("The rooms"))}
    assert told == {name: docstring_of(package) for name, package in packages().items()}


def test_every_state_is_in_the_table() -> None:
    """The union of states has these members."""
    told = [CODE.findall(cells[0])[0] for cells in rows_of(section("A run's states"))]
    assert sorted(told) == sorted(f"runs/state.py: {kind.__name__}" for kind in get_args(state.RunState))


def test_every_transition_is_in_the_table() -> None:
    """Each with all that it writes, by the names that its plan has for it, besides what it only checks."""
    told = {CODE.findall(cells[0])[0]: cells[3:] for cells in rows_of(section("Transitions"))}
    assert told.keys() == plans().keys()
    for name, cells in told.items():
        assert planned_by(*plans()[name]) <= set(CODE.findall(" ".join(cells))), name


def test_every_kind_of_row_is_in_the_table() -> None:
    """Each with its sort key, and with a TTL exactly where it has the attribute."""
    told = {CODE.findall(cells[0])[0]: cells[1:] for cells in rows_of(section("The table"))}
    assert told.keys() == {kind.__name__ for kind in get_args(Row)}
    for row in one_of_every_kind():
        key, _, ttl, *_ = told[type(row).__name__]
        sort_key = re.sub("<[^>]+>", ".+", CODE.findall(key)[0])
        assert re.fullmatch(sort_key, row.key.sk), row.key
        assert ttl.startswith("none") == ("expires" not in {field.name for field in fields(row)}), row.key


@pytest.mark.parametrize("cells", rows_of(section("Times and bounds")), ids=lambda cells: cells[0])
def test_a_figure_is_what_the_code_has(cells: list[str]) -> None:
    """The table of times and bounds gives the constants' own values."""
    path, name = CODE.findall(cells[0])[0].split(": ")
    module = importlib.import_module(f"dayfly.{path.removesuffix('.py').replace('/', '.')}")
    assert getattr(module, name) == float(cells[1].replace(",", ""))


def test_every_broken_variant_stands_with_its_rule() -> None:
    """The page names each of them once."""
    lines = re.findall(r"^\*Broken variants?:\*(.+?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    named = [name for line in lines for name in CODE.findall(line)]
    assert sorted(named) == sorted(variants())


def test_the_log_has_one_writer() -> None:
    """`LogRow` is made by the log's writer and by what reads rows back; the writer is made by the bridge."""
    texts = {str(path.relative_to(LIBRARY)): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")}
    assert [path for path, text in texts.items() if re.search(r"\bLogRow\(", text)] == ["log/writer.py"]
    assert [path for path, text in texts.items() if re.search(r"\bLogWriter\(", text)] == ["delivery/bridge.py"]
