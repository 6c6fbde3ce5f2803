"""A folder of links to a choice of installed distributions, so that a function sees these and no others."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path


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
