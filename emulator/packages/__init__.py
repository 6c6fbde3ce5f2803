"""The packages that functions import: those of a `requirements.txt`, and those that Lambda's Python runtime brings."""

from emulator.packages.install import InstallFailed
from emulator.packages.packages import Packages

__all__ = ["InstallFailed", "Packages"]
