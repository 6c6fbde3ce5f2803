"""Secrets and settings for agents and their tools: the port to where they are kept, and what one run reads of them."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from dayfly.agents.tool_threads import run_in_thread
from dayfly.errors import ConfigurationError, DayflyError
from dayfly.log.secret_values import LEAST_CHARS, SecretValues

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")

_log: Final = logging.getLogger(__name__)


class SecretMissing(DayflyError):
    """There is no secret, or no setting, of this name. The message, which is for the log, says where it was looked
    for."""


class SecretUnavailable(DayflyError):
    """Where secrets and settings are kept could not be read, or holds something else under this name. The message is
    for the log."""


class SecretStore(Protocol):
    """Where secrets and settings are kept. Process-lived; its calls block.

    A value may be some minutes old, unless `fresh` asks for the present one. `None`: there is none of this name. Raises
    `SecretUnavailable`.
    """

    @property
    def places(self) -> str:
        """Where it looks, for the developer who misses something there."""

    def secret(self, name: str, *, fresh: bool) -> str | None:
        """The secret of this name."""

    def setting(self, name: str, *, fresh: bool) -> str | None:
        """The setting of this name, which need not be kept secret."""


class FixedSecrets:
    """A `SecretStore` over values that are given: for tests, and where none is set up."""

    def __init__(self, *, secrets: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None) -> None:
        self._secrets = secrets or {}
        self._settings = settings or {}

    @property
    def places(self) -> str:
        return "the values that the test gave, or none where nothing is set up"

    def secret(self, name: str, *, fresh: bool) -> str | None:
        del fresh
        return self._secrets.get(name)

    def setting(self, name: str, *, fresh: bool) -> str | None:
        del fresh
        return self._settings.get(name)


class RunSecrets:
    """The secrets and settings of one run attempt. Every secret that it hands out is known to `values` from then on, so
    that it is removed from what the run writes and shows."""

    def __init__(self, store: SecretStore | None = None, values: SecretValues | None = None) -> None:
        self.values = values or SecretValues()
        self._store = store or FixedSecrets()

    def secret(self, name: str, *, fresh: bool) -> str:
        """Blocks. Raises `ConfigurationError`, `SecretMissing`, `SecretUnavailable`."""
        value = self._found("secret", name, self._store.secret, fresh=fresh)
        if not self.values.add(value):
            _log.warning("secret too short to be redacted", extra={"secret": name, "least_chars": LEAST_CHARS})
        return value

    def setting(self, name: str, *, fresh: bool) -> str:
        """As `secret`."""
        return self._found("setting", name, self._store.setting, fresh=fresh)

    def _found(self, kind: str, name: str, read: "_Read", *, fresh: bool) -> str:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"a {kind} has a name of 1 to 128 characters of A-Z, a-z, 0-9, `_`, `.` and `-` that begins with a "
                f"letter or `_`, not {name!r:.200}"
            )
        value = read(name, fresh=fresh)
        if value is None:
            raise SecretMissing(f"there is no {kind} named {name}; looked in {self._store.places}")
        return value


class _Read(Protocol):
    def __call__(self, name: str, *, fresh: bool) -> str | None: ...


class ReadsSecrets:
    """How agents and tools read secrets and settings.

    An async function awaits `secret` and `setting`; a plain one, which runs in a thread, calls `secret_sync` and
    `setting_sync`. The wrong one of the two raises `ConfigurationError` at once.
    """

    __slots__ = ()

    secrets: RunSecrets

    def secret(self, name: str, *, fresh: bool = False) -> Awaitable[str]:
        """The secret of this name.

        Args:
            name: Its name where it is kept: a key of the Secrets Manager secret, a SecureString below the path of
                Parameter Store, or a line of `.env`.
            fresh: Not one that was read within the last minutes: for when a key was refused, as it may have been
                rotated.

        Raises:
            ConfigurationError: It has no legal name, or this is no async function.
            SecretMissing: There is none.
            SecretUnavailable: Where it is kept could not be read.
        """
        return _in_thread(lambda: self.secrets.secret(name, fresh=fresh), "secret")

    def setting(self, name: str, *, fresh: bool = False) -> Awaitable[str]:
        """The setting of this name: a String below the path of Parameter Store, or a line of `.env`. As `secret`, but
        its value is not kept out of what is written and shown."""
        return _in_thread(lambda: self.secrets.setting(name, fresh=fresh), "setting")

    def secret_sync(self, name: str, *, fresh: bool = False) -> str:
        """As `secret`, for a plain function."""
        _require_no_loop("secret")
        return self.secrets.secret(name, fresh=fresh)

    def setting_sync(self, name: str, *, fresh: bool = False) -> str:
        """As `setting`, for a plain function."""
        _require_no_loop("setting")
        return self.secrets.setting(name, fresh=fresh)


def _in_thread(read: Callable[[], str], kind: str) -> Awaitable[str]:
    if not _has_loop():
        raise ConfigurationError(f"a plain function calls `{kind}_sync`; `{kind}` is for async ones, which await it")
    return run_in_thread(read, name=kind)


def _require_no_loop(kind: str) -> None:
    if _has_loop():
        raise ConfigurationError(
            f"an async function awaits `{kind}`; `{kind}_sync` would block all that runs beside it"
        )


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
