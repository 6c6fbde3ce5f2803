"""What keeps a function from starting, in a line for whoever writes it."""

import json
import re
import warnings
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from emulator.contract import FunctionSpec
from emulator.functions.call import Outcome

_MISSING_MODULE = re.compile(r"No module named '([^']+)'")
# Told at the start and at a save: enough for what somebody writes by hand, short beside a folder full of packages.
_MOST_FILES = 200
_PACKAGES = frozenset({"__pycache__", "node_modules", "site-packages", "python"})


def cannot_start(outcome: Outcome) -> str:
    """One line for an invocation whose environment did not come up."""
    said = json.loads(outcome.payload)
    kind, message = said.get("errorType", "Error"), " ".join(str(said.get("errorMessage", "")).split())
    missing = _MISSING_MODULE.search(message)
    hint = f"; is {missing[1].partition('.')[0]} in requirements.txt beside the code, or in a layer?" if missing else ""
    return f"could not start: {kind}: {message}{hint}"


def findings(spec: FunctionSpec) -> list[str]:
    """What can be told of a function without running it: a handler that is not there, files that do not compile."""
    module, dot, name = spec.handler.rpartition(".")
    if not dot or not name:
        return [f"handler {spec.handler} is not MODULE.FUNCTION"]
    if not spec.code_dir.is_dir():
        return [f"there is no folder {spec.code_dir}"]
    below = Path(*module.replace("/", ".").split("."))
    candidates = (below.with_suffix(".py"), below / "__init__.py")
    folders = (spec.code_dir, *(spec.layer_dirs if spec.import_path is None else spec.import_path))
    found = next((each / file for each in folders for file in candidates if (each / file).is_file()), None)
    if found is None:
        return [f"handler {spec.handler}: there is no {spec.code_dir / candidates[0]}"]
    errors = syntax_errors([found, *islice(_sources(spec.code_dir), _MOST_FILES)])
    text = found.read_text(encoding="utf-8", errors="replace")
    if not errors and "import *" not in text and not re.search(rf"\b{re.escape(name)}\b", text):
        return [f"handler {spec.handler}: {found} has no {name}"]
    return errors


def syntax_errors(files: Iterable[Path]) -> list[str]:
    """`FILE:LINE: syntax error: MESSAGE` for each Python file that does not compile."""
    return [error for file in dict.fromkeys(files) if file.suffix == ".py" and (error := _syntax_error(file))]


def _syntax_error(file: Path) -> str | None:
    try:
        source = file.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of others' files: theirs to show when they run
            compile(source, str(file), "exec", dont_inherit=True)
    except OSError:
        return None  # gone meanwhile
    except SyntaxError as error:
        return f"{file}:{error.lineno or 1}: syntax error: {error.msg}"
    except ValueError as error:  # null bytes
        return f"{file}:1: syntax error: {error}"
    return None


def _sources(folder: Path) -> Iterable[Path]:
    entries = sorted(folder.iterdir())
    installed = any(entry.suffix == ".dist-info" for entry in entries)  # by pip or `sam build`: packages lie beside
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _PACKAGES:
            continue
        if entry.is_dir() and not installed:
            yield from _sources(entry)
        elif entry.suffix == ".py":
            yield entry
