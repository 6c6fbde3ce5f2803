"""Folders of packages for functions, made once each and kept."""

import logging
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.requirements import Requirement

from emulator.packages.cache import Cache, default_folder, key
from emulator.packages.environment import Environment, NotLinkable, link
from emulator.packages.install import InstallFailed, install
from emulator.packages.requirements import Requirements, read

log = logging.getLogger("emulator")

# What a handler finds on Lambda without bringing it: the SDK and the runtime client, with what they need.
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-dependencies
_RUNTIME = (Requirement("awslambdaric"), Requirement("boto3"))


class Packages:
    """`installer` fills a folder from a requirements file; the default runs pip and says so first."""

    def __init__(
        self,
        *,
        folder: Path | None = None,
        environment: Environment | None = None,
        installer: Callable[[Path, Path], None] = install,
    ) -> None:
        self.folder = folder or default_folder()
        """Where they are kept."""
        self._cache = Cache(self.folder)
        self._environment = environment or Environment()
        self._install = installer
        self._python = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"

    def runtime(self) -> Path:
        """The folder of what the managed Python runtime brings, in the versions of the emulator's own environment."""
        name = self._links_name("runtime")
        return self._cache.get(name, lambda part: self._link(_RUNTIME, part))

    def inline(self, code: str) -> Path:
        """A folder with `code` as index.py, where CloudFormation puts it."""
        return self._cache.get(f"inline/{key(code)}", lambda part: _write(part / "index.py", code))

    def first(self, alternatives: Iterable[Requirement]) -> Path | None:
        """The folder of the first of these that the emulator's own environment has; None if it has none."""
        return next((found for each in alternatives if (found := self._linked(str(each), (each,))) is not None), None)

    def of(self, requirements: Path, *, beside: Path) -> Path | None:
        """The folder of what the file requires; None if that is nothing, or lies in the folder `beside` already.

        What the emulator's own environment has in fitting versions is linked to, as that costs neither time nor a
        network; else everything is installed. Raises `InstallFailed`.
        """
        try:
            wanted = read(requirements)
        except (OSError, UnicodeDecodeError) as error:
            raise InstallFailed(f"{requirements.name} can't be read: {error}") from None
        if wanted.empty or self._is_there(wanted, beside):
            return None
        linked = None if wanted.plain is None else self._linked(wanted.text, wanted.plain)
        return linked or self._installed(wanted, requirements)

    def _is_there(self, wanted: Requirements, folder: Path) -> bool:
        # Installed into the source by hand, or by `sam build`.
        return wanted.plain is not None and Environment([str(folder)]).closure(wanted.plain) is not None

    def _linked(self, text: str, requirements: tuple[Requirement, ...]) -> Path | None:
        try:
            return self._cache.get(self._links_name(text), lambda part: self._link(requirements, part))
        except NotLinkable:
            return None

    def _link(self, requirements: tuple[Requirement, ...], part: Path) -> None:
        found = self._environment.closure(requirements)
        if found is None:
            raise NotLinkable("the environment does not have them")
        link(found, part)

    def _links_name(self, text: str) -> str:
        return f"links/{key(text, self._python, self._environment.fingerprint())}"

    def _installed(self, wanted: Requirements, requirements: Path) -> Path:
        def make(part: Path) -> None:
            log.info("installing %s, once ...", requirements)
            self._install(requirements, part)

        # A file that names folders or addresses is known by its text all the same: their content is not looked at.
        return self._cache.get(f"packages/{key(wanted.text, self._python)}", make)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
