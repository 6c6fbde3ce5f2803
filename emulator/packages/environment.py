"""The distributions that a Python environment has, and which of them a set of requirements comes down to,
as folders of links to them."""

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class Environment:
    """The environment with this path, by default the one that the emulator itself runs in."""

    def __init__(self, path: Sequence[str] | None = None) -> None:
        self._path = [*(sys.path if path is None else path)]
        self._known: dict[str, Distribution] | None = None

    def fingerprint(self) -> str:
        """Differs once a distribution was added, removed or changed its version."""
        names = {str(each) for folder in self._path for each in sorted(Path(folder).glob("*.dist-info"))}
        return "\n".join(sorted(names))

    def closure(self, requirements: Iterable[Requirement]) -> tuple[Distribution, ...] | None:
        """The distributions that satisfy the requirements and, in turn, their own; None if any of them does not."""
        found: dict[str, Distribution] = {}
        done: set[tuple[str, str]] = set()
        waiting = [(requirement, "") for requirement in requirements]
        while waiting:
            requirement, extra = waiting.pop()
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(requirement.name)
            distribution = self._distributions().get(name)
            if (
                distribution is None
                or requirement.url is not None
                or not requirement.specifier.contains(distribution.version, prereleases=True)
            ):
                return None
            found[name] = distribution
            for wanted in ("", *sorted(requirement.extras)):
                if (name, wanted) not in done:
                    done.add((name, wanted))
                    waiting += [(Requirement(text), wanted) for text in distribution.requires or ()]
        return tuple(found.values())

    def _distributions(self) -> dict[str, Distribution]:
        if self._known is None:
            self._known = {}
            for each in distributions(path=self._path):
                # An installation that was broken off leaves a folder without a name in it.
                if "Name" in each.metadata:
                    self._known.setdefault(canonicalize_name(each.metadata["Name"]), each)
        return self._known


class NotLinkable(Exception):
    """A distribution does not lie in a site folder as an installer puts it there (an editable one, for example)."""


def link(distributions: Iterable[Distribution], folder: Path) -> None:
    """Put a link to each module and package of `distributions`, and to their metadata, into `folder`.

    Raises `NotLinkable`. Distributions that share a namespace package share its folder, as they do where they lie.
    """
    for distribution in distributions:
        for target in _entries(distribution):
            entry = folder / target.name
            if not entry.is_symlink():
                entry.symlink_to(target)
            elif entry.readlink() != target:
                raise NotLinkable(f"{target.name} is in two places")


def _entries(distribution: Distribution) -> list[Path]:
    files = distribution.files or []
    names = {file.parts[0] for file in files if not file.is_absolute() and file.parts[0] not in {"..", "__pycache__"}}
    entries = [Path(str(distribution.locate_file(name))) for name in sorted(names) if not name.endswith(".pth")]
    # An editable distribution has its metadata and a .pth file alone.
    if all(entry.name.endswith(".dist-info") for entry in entries) or not all(entry.exists() for entry in entries):
        raise NotLinkable(f"{distribution.metadata['Name']} has no files of its own")
    return entries
