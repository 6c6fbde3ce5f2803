"""Reading a `requirements.txt`.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

_COMMENT = re.compile(r"(^|\s+)#.*$")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)[ =]*(?P<file>.+)")
_HASH = re.compile(r"\s--hash[= ]\S+")


@dataclass(frozen=True)
class Requirements:
    """`text` is the file with all that it includes; `plain` its requirements, None if a line says anything else than
    a name with versions (an address, a folder, an option), which only an installer can follow."""

    text: str
    plain: tuple[Requirement, ...] | None

    @property
    def empty(self) -> bool:
        """Whether nothing is required."""
        return self.plain == ()


def read(path: Path) -> Requirements:
    """Read the file. Raises OSError if it or one that it includes can't be read."""
    texts: list[str] = []
    lines = [_plain(line) for line in _lines(path, texts, set())]
    plain = tuple(line for line in lines if line is not None)
    if len(plain) < len(lines):
        return Requirements(text="\n".join(texts), plain=None)
    needed = tuple(each for each in plain if each.marker is None or each.marker.evaluate())
    return Requirements(text="\n".join(texts), plain=needed)


def _plain(line: str) -> Requirement | None:
    try:
        requirement = Requirement(_HASH.sub("", line))
    except InvalidRequirement:
        return None
    return requirement if requirement.url is None else None


def _lines(path: Path, texts: list[str], seen: set[Path]) -> list[str]:
    if path.resolve() in seen:
        return []
    seen.add(path.resolve())
    text = path.read_text(encoding="utf-8")
    texts.append(text)
    found: list[str] = []
    for raw in text.replace("\\\n", " ").splitlines():
        line = _COMMENT.sub("", raw).strip()
        include = _INCLUDE.fullmatch(line)
        if include is not None:
            below = _lines(path.parent / include["file"].strip(), texts, seen)
            found += below if line.startswith(("-r", "--requirement")) else []
            if not line.startswith(("-r", "--requirement")):
                found.append(line)  # constraints: an installer's work
        elif line:
            found.append(line)
    return found
