"""The distributions that a Python environment has, and which of them a set of requirements comes down to."""

from __future__ import annotations

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
                self._known.setdefault(canonicalize_name(each.metadata["Name"]), each)
        return self._known
