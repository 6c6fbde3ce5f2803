"""What the emulator itself takes from the shell it was started in."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_KEPT = frozenset({"AWS_CA_BUNDLE"})
"""Whom the developer trusts, functions trust too: see `emulator.tls`."""


def forget_aws(environment: MutableMapping[str, str]) -> None:
    """Drop the developer's profile, keys, region and endpoints: all that the emulator asks is on this machine.

    A profile that does not exist here, or that asks for a login, would stop it.
    """
    for name in [each for each in environment if each.startswith("AWS_") and each not in _KEPT]:
        del environment[name]
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
