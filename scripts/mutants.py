"""Changes the code a little, thousands of times, and says which changes no test finds: `python -m scripts.mutants`.

What is changed, and which tests should find it, is named in pyproject.toml: `[[tool.mutants.group]]`. mutmut works on
a copy in `.build/mutation`, where results are kept: the next run tries what has changed since, or has survived. Those
that change nothing stand in tests/mutants/survivors.toml, each with its reason; of all others one in ten may survive.
Source: https://mutmut.readthedocs.io/
"""

import argparse
import ast
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
STAGE: Final = ROOT / ".build" / "mutation"
LIBRARY: Final = Path("layers/dayfly/dayfly")
STAGED: Final = Path("src/dayfly")
"""mutmut takes a module's name from its path, and knows `src` as a place that is not part of it."""
SURVIVORS: Final = ROOT / "tests" / "mutants" / "survivors.toml"
COPIED: Final = ("tests", "bench", "docs", "emulator", "events", "functions", "scripts", "template.yaml")
LEAST: Final = 0.9
"""The share of mutants that must be found, of those that change anything."""
STOPS_WITHIN_S: Final = 10.0
FOUND: Final = frozenset({"killed", "timeout", "segfault", "caught by type check"})
UNTRIED: Final = frozenset({"not checked", "check was interrupted by user"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: of which function, which line into which, and what became of it."""

    name: str
    status: str
    function: str
    changed: str
    into: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """Why a change may live: of this function, of this line or any, into that one or any."""

    function: str
    changed: str | None
    into: str | None
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        line = self.changed in (None, mutant.changed) and self.into in (None, mutant.into)
        return line and self.function == mutant.function


@dataclass(frozen=True, slots=True)
class Group:
    """Packages and modules of the library, and the tests that should find what is changed in them (as pytest takes
    them on its command line)."""

    name: str
    packages: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def stage(self) -> Path:
        """Where mutmut works on it."""
        return STAGE / self.name

    def files(self) -> list[Path]:
        """The files that are changed, relative to the library. Raises `SystemExit` for a name that is not there."""
        found: list[Path] = []
        for name in self.packages:
            place = (ROOT / LIBRARY).joinpath(*name.split(".")[1:])
            files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
            if not files or not all(file.is_file() for file in files):
                raise SystemExit(f"[tool.mutants] names {name}, which is not there")
            found += [file.relative_to(ROOT / LIBRARY) for file in files]
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs, reports, and answers 0 where enough was found."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants")
    parser.add_argument("groups", nargs="*", help="groups of pyproject.toml (default: all)")
    parser.add_argument("--since", help="only functions that changed since this commit, and a sample of their mutants")
    parser.add_argument("--most", type=int, default=60, help="mutants of a group's sample")
    parser.add_argument("--seconds", type=float, help="stop after so long and judge what was tried")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", action="store_true", help="judge the last run's results alone")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it, mutmut's too
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that mutmut is not left behind
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    until = None if given.seconds is None else time.monotonic() + given.seconds
    run = partial(_mutmut, jobs=given.jobs, until=until)
    results: list[Mutant] = []
    for group in _groups(settings, given.groups):
        if given.since is not None:
            changed = _changed(group, given.since)
            if changed:
                apart = replace(group, name=f"{group.name}-sample")  # the results of whole runs are kept
                _stage(apart, settings, files=list(changed))
                chosen = _sample(apart, changed, given.most)
                if chosen:
                    run(apart, chosen)
                results += [mutant for mutant in _results(apart) if mutant.name in chosen]
            continue
        if not given.report:
            before = _survivors_before(group)
            _stage(group, settings, files=group.files())
            run(group, ())
            if before:
                run(group, before)
        results += _results(group)
    return _judge(results)


def _groups(settings: dict[str, Any], wanted: Sequence[str]) -> list[Group]:
    groups = [Group(one["name"], tuple(one["packages"]), tuple(one["tests"])) for one in settings["mutants"]["group"]]
    unknown = set(wanted) - {group.name for group in groups}
    if unknown:
        raise SystemExit(f"no such group: {', '.join(sorted(unknown))}")
    return [group for group in groups if not wanted or group.name in wanted]


def _stage(group: Group, settings: dict[str, Any], *, files: Sequence[Path]) -> None:
    """Makes the copy that mutmut works on: the library under `src`, the tests, and what they read."""
    stage = group.stage
    told = _settings_of(group, settings, files)
    written = stage / "pyproject.toml"
    if not written.is_file() or written.read_text(encoding="utf-8") != told:
        shutil.rmtree(stage, ignore_errors=True)  # mutants are made by the settings
    stage.mkdir(parents=True, exist_ok=True)
    # Which tests reach what is found out each time: a test that is there already may reach more than it did.
    (stage / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    for name in COPIED:
        for place in (stage / name, stage / "mutants" / name):
            if place.is_dir():
                shutil.rmtree(place)
    shutil.rmtree(stage / "src", ignore_errors=True)
    shutil.copytree(ROOT / LIBRARY, stage / STAGED, ignore=shutil.ignore_patterns("__pycache__"))
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, stage / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
        else:
            shutil.copy2(ROOT / name, stage / name)
    written.write_text(told, encoding="utf-8")


def _settings_of(group: Group, settings: dict[str, Any], files: Sequence[Path]) -> str:
    pytest_options = {**settings["pytest"]["ini_options"], "pythonpath": ["src", "functions/engine", "."]}
    options = {
        "source_paths": ["src/"],
        "only_mutate": [str(STAGED / file) for file in files],
        "do_not_mutate_patterns": settings["mutants"]["passed_over"],
        "also_copy": list(COPIED),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": list(group.tests),
        "timeout_constant": 5.0,
        "on_dependency_change": "ignore",
        "use_git_change_detection": False,
    }
    lines = ["[tool.pytest.ini_options]", *_toml(pytest_options), "[tool.mutmut]", *_toml(options)]
    return "\n".join(lines) + "\n"


def _toml(table: dict[str, Any]) -> Iterator[str]:
    # Strings, numbers, booleans and lists of strings are written alike in JSON and TOML.
    return (f"{name} = {json.dumps(value)}" for name, value in table.items())


def _mutmut(group: Group, names: Sequence[str], *, jobs: int, until: float | None) -> None:
    """Runs mutmut in the copy. At that time it is told to stop, and keeps what it has found."""
    left = None if until is None else max(0.0, until - time.monotonic())
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(jobs), *names]
    with subprocess.Popen(  # noqa: S603  our own arguments, no shell
        command, cwd=group.stage, env=environ, start_new_session=True
    ) as process:
        try:
            status = process.wait(left)
        except subprocess.TimeoutExpired:
            print(f"\n{group.name}: the time is over")
            return
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT if process.poll() is None else signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOPS_WITHIN_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _mend(group)
    if status != 0:
        raise SystemExit(f"{group.name}: mutmut ended with status {status}")


def _mend(group: Group) -> None:
    """Has mutmut begin anew with a file whose results it was writing when it was killed."""
    for results in (group.stage / "mutants" / "src").rglob("*.py.meta"):
        try:
            json.loads(results.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            results.unlink()
            results.with_suffix("").unlink(missing_ok=True)


def _results(group: Group) -> Iterator[Mutant]:
    """Every mutant of the copy, and what became of it."""
    with _inside(group):
        from mutmut.mutation.data import SourceFileMutationData  # noqa: PLC0415
        from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: PLC0415
        from mutmut.stats import status_by_exit_code  # noqa: PLC0415
        from mutmut.utils.file_utils import walk_mutatable_files  # noqa: PLC0415

        for path in sorted(walk_mutatable_files()):
            data = SourceFileMutationData(path=path)
            data.load()
            for name, code in data.exit_code_by_key.items():
                status = status_by_exit_code[code]
                changed, into = "", ""
                if status not in FOUND | UNTRIED:
                    changed, into = _changed_line(get_diff_for_mutant(name, path=path))
                yield Mutant(name, status, _function(name), changed, into)


def _function(mutant: str) -> str:
    """`dayfly.aws.auth.tokens.xǁTokensǁidentity__mutmut_3` is about `dayfly.aws.auth.tokens.Tokens.identity`."""
    module, _, mangled = mutant.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{mangled[2:].replace('ǁ', '.')}"


def _changed_line(diff: str) -> tuple[str, str]:
    lines = diff.splitlines()[2:]
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return before, after


def _survivors_before(group: Group) -> tuple[str, ...]:
    """Those of the last run, which are tried again: tests may have been added that find them."""
    if not (group.stage / "mutants" / "src").is_dir():
        return ()
    return tuple(mutant.name for mutant in _results(group) if mutant.status not in FOUND | UNTRIED)


def _changed(group: Group, since: str) -> dict[Path, set[str]]:
    """The group's files that changed since the commit, each with the names of the functions in which a line has."""
    found: dict[Path, set[str]] = {}
    for file in group.files():
        path = ROOT / LIBRARY / file
        command = ["git", "diff", "-U0", since, "--", str(path)]
        diff = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603  likewise
        lines: set[int] = set()
        for line in diff.splitlines():
            if line.startswith("@@"):
                first, _, count = line.split()[2].lstrip("+").partition(",")
                lines.update(range(int(first), int(first) + int(count or 1)))
        functions = {name for name, span in _functions(path) if lines & set(span)}
        if functions:
            found[file] = functions
    return found


def _functions(path: Path) -> Iterator[tuple[str, range]]:
    """The functions and methods of a file as mutmut names them, and their lines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, kinds):
            yield f"x_{node.name}", range(node.lineno, (node.end_lineno or node.lineno) + 1)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, kinds):
                    lines = range(inner.lineno, (inner.end_lineno or inner.lineno) + 1)
                    yield f"xǁ{node.name}ǁ{inner.name}", lines


def _sample(group: Group, changed: dict[Path, set[str]], most: int) -> tuple[str, ...]:
    """The names of so many mutants of these functions, the same ones for the same code."""
    with _inside(group):
        from mutmut.mutation.file_mutation import mutate_file_contents  # noqa: PLC0415
        from mutmut.utils.format_utils import get_mutant_name  # noqa: PLC0415

        names: list[str] = []
        for file, functions in changed.items():
            path = STAGED / file
            made = mutate_file_contents(str(path), path.read_text(encoding="utf-8")).mutant_names
            names += [get_mutant_name(path, name) for name in made if name.partition("__mutmut_")[0] in functions]
    return tuple(random.Random(0).sample(names, min(most, len(names))))  # noqa: S311  # draws a sample


@contextlib.contextmanager
def _inside(group: Group) -> Iterator[None]:
    """mutmut reads its settings from the directory it works in, when it is imported and once more when it is asked."""
    with contextlib.chdir(group.stage):
        from mutmut.configuration import reset_config  # noqa: PLC0415

        reset_config()
        yield


def _excuses() -> tuple[Excuse, ...]:
    listed = tomllib.loads(SURVIVORS.read_text(encoding="utf-8")).get("survivor", [])
    return tuple(Excuse(one["function"], one.get("changed"), one.get("into"), one["reason"]) for one in listed)


def _judge(mutants: Sequence[Mutant]) -> int:
    """Prints a line a module and every survivor that is not listed; 1 where they are too many."""
    excuses = _excuses()
    counts: dict[str, Counter[str]] = {}
    strangers: list[Mutant] = []
    for mutant in mutants:
        if mutant.status in UNTRIED:
            continue
        count = counts.setdefault(mutant.name.rpartition(".")[0], Counter())
        if mutant.status in FOUND:
            count["found"] += 1
        elif any(excuse.covers(mutant) for excuse in excuses):
            count["listed"] += 1
        else:
            count["survived"] += 1
            strangers.append(mutant)
    print(f"\n{'':44} found  listed  survived")
    for module, count in sorted(counts.items()):
        print(f"{module:44} {count['found']:5}  {count['listed']:6}  {count['survived']:8}")
    total = sum(counts.values(), Counter[str]())
    tried = total["found"] + total["survived"]
    rate = total["found"] / tried if tried else 1.0
    print(f"{rate:.1%} of {tried} found; {total['listed']} more are listed as changing nothing")
    for mutant in strangers:
        print(f"\n{mutant.name} ({mutant.status})\n  - {mutant.changed}\n  + {mutant.into}")
    return 1 if rate < LEAST and len(strangers) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
